// A WebSocket that comes back: states, back-off with jitter, and nothing the page has to remember.

/** Waiting time before the first new attempt, in milliseconds. */
const DELAY_FIRST = 1000;

/** Longest waiting time between two attempts, in milliseconds. */
const DELAY_MAX = 30_000;

/** Time an attempt may take, in milliseconds. */
const CONNECT_MAX = 10_000;

/** Time a link must have been open for its loss to start the waiting times over, in milliseconds. */
const STABLE_AFTER = 5000;

/** Bytes the browser may hold unsent before the page refuses to send more. */
const BUFFERED_MAX = 1 << 20;

/** Returns the waiting time before attempt `attempt` (from 0); `random` is in 0..1. */
export function retryDelay(attempt, random) {
  const whole = Math.min(DELAY_MAX, DELAY_FIRST * 2 ** Math.min(attempt, 16));
  return Math.round(whole * (0.5 + random / 2));
}

/**
 * Keeps one link to `address`.
 *
 * `handlers.state(state, retryAt)` hears "connecting", "open" and "waiting" (with the time of the
 * next attempt), `handlers.text(text)` each text message. `first` is sent whenever the link opens.
 */
export class Link {
  #address;
  #first;
  #handlers;
  #socket = null;
  #attempt = 0;
  #openedAt = 0;
  #timer = 0;

  constructor(address, first, handlers) {
    this.#address = address;
    this.#first = first;
    this.#handlers = handlers;
  }

  /** Says whether messages can be sent now. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now, unless a link is open or under way. */
  connect() {
    if (this.#socket) {
      return;
    }
    clearTimeout(this.#timer);
    this.#handlers.state("connecting");
    let socket;
    try {
      socket = new WebSocket(this.#address);
    } catch {
      this.#wait();
      return;
    }
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.close(), CONNECT_MAX);
    socket.onopen = () => this.#opened();
    socket.onclose = () => this.#lost(socket);
    socket.onmessage = (event) => {
      if (typeof event.data === "string") {
        this.#handlers.text(event.data);
      }
    };
  }

  /** Sends a text and returns an empty text, or says why it was not sent. */
  send(text) {
    if (!this.isOpen) {
      return "Not connected. The message was not sent.";
    }
    if (this.#socket.bufferedAmount > BUFFERED_MAX) {
      return "The connection is too slow at the moment. The message was not sent.";
    }
    this.#socket.send(text);
    return "";
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#socket.send(this.#first);
    this.#handlers.state("open");
  }

  #lost(socket) {
    if (socket !== this.#socket) {
      return;
    }
    this.#socket = null;
    if (this.#openedAt !== 0 && Date.now() - this.#openedAt >= STABLE_AFTER) {
      this.#attempt = 0;
    }
    this.#openedAt = 0;
    this.#wait();
  }

  #wait() {
    const delay = retryDelay(this.#attempt, Math.random());
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#handlers.state("waiting", Date.now() + delay);
  }
}
