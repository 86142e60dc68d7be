// A WebSocket that stays: it comes back by itself, shows its state, and tells what became of each
// message. Runs in browsers and in Node.

/**
 * A link to one WebSocket server that is opened again whenever it is lost.
 *
 * Fires `open`, `message`, `error` and `close` as a browser's WebSocket does, once for each link or
 * attempt, and `statechange`.
 */
export class BowlineSocket extends EventTarget {
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  onstatechange = null;

  #url;
  #options;
  #outbox;
  #state = "none";
  #socket = null;
  #binaryType = "blob";
  #timer;
  /** Attempts since the last link that lasted. */
  #attempt = 0;
  #openedAt = null;
  #retryAt = 0;
  /** Whether the server asked to be left alone until `#retryAt`. */
  #isPatient = false;

  /** Prepares a link; `connect` opens it. */
  constructor(url, options = {}) {
    super();
    for (const name of Object.keys(options)) {
      if (!(name in DEFAULTS)) {
        throw new TypeError(`there is no option ${name}`);
      }
    }
    this.#url = String(url);
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, ...options };
    if (typeof this.#options.WebSocket !== "function") {
      throw new TypeError("there is no WebSocket here; give one as the option WebSocket");
    }
    this.#outbox = new Outbox(this.#options);
    for (const type of ["open", "message", "error", "close", "statechange"]) {
      this.addEventListener(type, (event) => this[`on${type}`]?.(event));
    }
  }

  /** Makes a link and opens it. */
  static connect(url, options) {
    const link = new this(url, options);
    link.connect();
    return link;
  }

  get url() {
    return this.#url;
  }

  /** "none" before the first attempt, then "connecting", "open", "waiting" or "closed". */
  get state() {
    return this.#state;
  }

  /** When the next attempt begins, in milliseconds as of `Date.now()`; 0 when none is planned. */
  get retryAt() {
    return this.#retryAt;
  }

  /** The subprotocol of the open link. */
  get protocol() {
    return this.#socket?.protocol ?? "";
  }

  /** Bytes that were accepted and have not left yet, kept ones too. */
  get bufferedAmount() {
    return this.#outbox.size + (this.#socket?.bufferedAmount ?? 0);
  }

  /** What binary messages arrive as: "blob" or "arraybuffer". */
  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(type) {
    if (type !== "blob" && type !== "arraybuffer") {
      return;
    }
    this.#binaryType = type;
    if (this.#socket) {
      this.#socket.binaryType = type;
    }
  }

  /** Connects now, unless a link is open or under way. */
  connect() {
    if (!this.#socket) {
      this.#dial();
    }
  }

  /** Closes the link, if there is one, and opens a new one now, whatever the state. */
  reconnect() {
    const end = this.#letGo(1000, "reconnect");
    this.#attempt = 0;
    this.#dial();
    if (end) {
      this.#fireClose(end);
    }
  }

  /**
   * Sends a text, Blob, ArrayBuffer or view; without an open link it is kept for at most `keepFor`
   * milliseconds. Returns its fate.
   */
  send(data, { keepFor = this.#options.keepFor } = {}) {
    checkData(data);
    if (this.#state === "open" && this.#socket.readyState === OPEN) {
      if (this.#socket.bufferedAmount > this.#options.bufferMax) {
        return this.#refuse("the link is too slow: the buffer is full");
      }
      this.#socket.send(data);
      return settled("sent");
    }
    if (this.#state === "closed") {
      return this.#refuse("the link is closed");
    }
    if (!(keepFor > 0)) {
      return settled("expired");
    }
    return this.#outbox.keep(data, keepFor) ?? this.#refuse("the outbox is full");
  }

  /**
   * Closes the link for good; only `connect` and `reconnect` open it again. What was kept is
   * dropped. The closing handshake goes on behind.
   */
  close(code = 1000, reason = "") {
    if (code !== 1000 && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
      throw new RangeError(`a program closes with 1000 or 3000 to 4999, not with ${code}`);
    }
    if (new TextEncoder().encode(reason).length > REASON_BYTES_MAX) {
      throw new RangeError(`a reason has at most ${REASON_BYTES_MAX} bytes`);
    }
    if (this.#state !== "closed") {
      const end = this.#letGo(code, reason);
      this.#finish();
      if (end) {
        this.#fireClose(end);
      }
    }
  }

  #dial() {
    const { WebSocket, protocols, connectTimeout, clock } = this.#options;
    const socket = new WebSocket(this.#url, protocols);
    socket.binaryType = this.#binaryType;
    const ifMine = (handle) => (event) => {
      if (socket === this.#socket) {
        handle(event);
      }
    };
    socket.onopen = ifMine(() => this.#opened());
    socket.onmessage = ifMine(({ data, origin }) => {
      this.dispatchEvent(new MessageEvent("message", { data, origin: origin ?? "" }));
    });
    socket.onerror = ifMine(({ message }) => this.#fireError(message ?? "the connection failed"));
    socket.onclose = ifMine((end) => this.#lost(end));

    this.#socket = socket;
    this.#openedAt = null;
    this.#retryAt = 0;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.#lost(this.#letGo(1000, "")), connectTimeout);
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.document?.addEventListener("visibilitychange", this.#wake);
    this.#enter("connecting");
  }

  #opened() {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#openedAt = clock.now();
    this.#state = "open";
    // Who says hello does so before what was kept goes out.
    this.dispatchEvent(new Event("open"));
    if (this.#state === "open") {
      this.#outbox.sendAll(this.#socket);
      this.#enter("open");
    }
  }

  #lost({ code, reason, wasClean }) {
    const end = { code, reason, wasClean };
    const { clock, random, reconnect, isFatal, stableAfter } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#socket = null;
    if (!reconnect || isFatal(end)) {
      this.#finish();
      this.#fireClose(end);
      return;
    }
    if (this.#openedAt !== null && clock.now() - this.#openedAt >= stableAfter) {
      this.#attempt = 0;
    }
    this.#isPatient = LATER_CODES.includes(code);
    const delay = this.#isPatient
      ? laterDelay(random())
      : retryDelay(this.#attempt, random(), this.#options);
    this.#attempt += 1;
    this.#retryAt = clock.now() + delay;
    this.#timer = clock.setTimeout(() => this.#dial(), delay);
    this.#enter("waiting");
    this.#fireClose(end);
  }

  /** Parts with the socket, tells its end, and hears nothing more of it. */
  #letGo(code, reason) {
    this.#options.clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) {
      return undefined;
    }
    const wasClean = this.#state === "open";
    socket.close(code, reason);
    return wasClean ? { code, reason, wasClean } : { code: 1006, reason: "", wasClean };
  }

  #finish() {
    this.#retryAt = 0;
    this.#attempt = 0;
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.document?.removeEventListener("visibilitychange", this.#wake);
    this.#outbox.drop();
    this.#enter("closed");
  }

  /** Does not wait any longer once the network is back, or somebody looks at the page. */
  #wake = () => {
    if (this.#state === "waiting" && !this.#isPatient && !globalThis.document?.hidden) {
      this.#dial();
    }
  };

  #enter(state) {
    this.#state = state;
    this.dispatchEvent(new Event("statechange"));
  }

  #fireClose(end) {
    this.dispatchEvent(Object.assign(new Event("close"), { ...end, retryAt: this.#retryAt }));
  }

  #fireError(message) {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }

  #refuse(why) {
    this.#fireError(`a message was not accepted: ${why}`);
    return settled("refused");
  }
}

/**
 * Says whether another attempt is pointless after a link ended like this: the server saw a broken
 * rule (1002, 1008), or the application closed with a code of its own (4000 to 4999).
 */
export function isFatal({ code }) {
  return code === 1002 || code === 1008 || (code >= 4000 && code <= 4999);
}

/**
 * Returns the milliseconds to wait before attempt `attempt` (from 0); `random` is in 0..1. The
 * first wait is between half of `firstDelay` and all of it; the next ones are between a quarter of a
 * bound that doubles and all of it, so that no luck makes them many.
 */
export function retryDelay(attempt, random, { firstDelay, delayMax } = DEFAULTS) {
  if (attempt === 0) {
    return Math.round(firstDelay * (0.5 + random / 2));
  }
  const bound = Math.min(delayMax, 1000 * 2 ** Math.min(attempt, 20));
  return Math.round(bound * (0.25 + 0.75 * random));
}

/** Messages that wait for a link, within bounds. */
class Outbox {
  #options;
  #entries = new Set();
  #size = 0;

  constructor(options) {
    this.#options = options;
  }

  /** Bytes that wait. */
  get size() {
    return this.#size;
  }

  /** Keeps a message and returns its fate, or nothing when there is no room. */
  keep(data, keepFor) {
    const { bufferMax, keepCountMax, clock } = this.#options;
    const size = sizeOf(data);
    if (this.#entries.size >= keepCountMax || this.#size + size > bufferMax) {
      return undefined;
    }
    const entry = { data: copyOf(data), size, delivery: { fate: "kept" } };
    entry.delivery.settled = new Promise((resolve) => {
      entry.settle = resolve;
    });
    if (keepFor <= TIMEOUT_MAX) {
      entry.timer = clock.setTimeout(() => this.#remove(entry, "expired"), keepFor);
    }
    this.#entries.add(entry);
    this.#size += size;
    return entry.delivery;
  }

  sendAll(socket) {
    for (const entry of this.#entries) {
      if (socket.readyState !== OPEN) {
        return;
      }
      socket.send(entry.data);
      this.#remove(entry, "sent");
    }
  }

  drop() {
    for (const entry of this.#entries) {
      this.#remove(entry, "dropped");
    }
  }

  #remove(entry, fate) {
    this.#options.clock.clearTimeout(entry.timer);
    this.#entries.delete(entry);
    this.#size -= entry.size;
    entry.delivery.fate = fate;
    entry.settle(fate);
  }
}

function settled(fate) {
  return { fate, settled: Promise.resolve(fate) };
}

function checkData(data) {
  const isData = typeof data === "string" || data instanceof Blob || data instanceof ArrayBuffer
    || ArrayBuffer.isView(data);
  if (!isData) {
    throw new TypeError("a message is a string, Blob, ArrayBuffer or view");
  }
}

function sizeOf(data) {
  return typeof data === "string"
    ? new TextEncoder().encode(data).length
    : data.size ?? data.byteLength;
}

/** Copies what its owner could still change while it waits. */
function copyOf(data) {
  if (data instanceof ArrayBuffer) {
    return data.slice(0);
  }
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : data;
}

/** Waits as long as a server that restarts or is full may expect, each client another time. */
function laterDelay(random) {
  return Math.round(LATER_MIN + random * (LATER_MAX - LATER_MIN));
}

/** Every option; times are milliseconds. */
const DEFAULTS = {
  protocols: [],
  reconnect: true,
  isFatal,
  firstDelay: 1000,
  delayMax: 30_000,
  stableAfter: 5000,
  connectTimeout: 10_000,
  keepFor: 30_000,
  keepCountMax: 1000,
  bufferMax: 1 << 20,
  WebSocket: undefined,
  random: Math.random,
  clock: {
    now: () => Date.now(),
    setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
    clearTimeout: (timer) => globalThis.clearTimeout(timer),
  },
};

/** "Service restart" and "try again later". */
const LATER_CODES = [1012, 1013];
const LATER_MIN = 5000;
const LATER_MAX = 30_000;

const REASON_BYTES_MAX = 123;

/** The longest time a timer can wait; what is kept longer is kept without a deadline. */
const TIMEOUT_MAX = 2 ** 31 - 1;

/** `readyState` of an open WebSocket. */
const OPEN = 1;
