// Clown.Talk over a link: `["topic", payload]` lines, subscriptions, and requests with an answer.

import { BowlineSocket } from "./bowline.js";

/** The message a peer sends first. */
export const INIT = '["clown.talk/-/config/set", {}]\n';

/** The topic of the answer to it, which is no value of anybody. */
export const INIT_ANSWER = "clown.talk/-/config/ok";

/** Characters of a line that are read; longer ones are ignored. */
export const LINE_LENGTH_MAX = 1 << 20;

/**
 * Speaks Clown.Talk over a link: says hello whenever it opens, and gives each message to those who
 * asked for its topic.
 */
export class ClownTalk {
  #link;
  #clock;
  #subscriptions = new Set();
  #device;
  /** Whether the server has answered the hello of this link. */
  #isGreeted = false;
  #ignored = 0;

  /** Opens a link to a Clown.Talk address; the options are those of `BowlineSocket`. */
  static connect(url, options) {
    return new this(BowlineSocket.connect(url, options), options);
  }

  /** Takes over a link. */
  constructor(link, { clock = globalThis } = {}) {
    this.#link = link;
    this.#clock = clock;
    link.addEventListener("open", () => this.#sayHello());
    link.addEventListener("message", ({ data }) => this.#receive(data));
    if (link.state === "open") {
      this.#sayHello();
    }
  }

  get link() {
    return this.#link;
  }

  /** What the server told about itself in its answer to the first message. */
  get device() {
    return this.#device;
  }

  /** The number of lines and messages that were not understood. */
  get ignored() {
    return this.#ignored;
  }

  /** Publishes a value; the options and the fate returned are those of `BowlineSocket.send`. */
  publish(topic, payload = null, options) {
    const text = JSON.stringify(payload);
    if (text === undefined) {
      throw new TypeError("this payload cannot be written as JSON");
    }
    return this.#link.send(encodeLine(topic, text), options);
  }

  /**
   * Gives every message whose topic matches `filter` to `handler(payload, topic, text)`; `+` stands
   * for one level, `#` at the end for any number. Returns a function that ends the subscription.
   */
  subscribe(filter, handler) {
    checkFilter(filter);
    const subscription = { filter, handler };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  /**
   * Publishes a request and resolves with the payload of the first message on the answer's topic
   * that `accept` agrees to. Last values, which a server tells before it answers the hello, do not
   * count.
   *
   * Rejects with a `RequestError` when the request was not sent, or after `within` milliseconds.
   */
  async request(topic, payload = {}, options = {}) {
    const { within = 5000, answer = answerTopic(topic), accept = () => true } = options;
    checkFilter(answer);
    const delivery = this.publish(topic, payload, { keepFor: within });
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        unsubscribe();
        this.#clock.clearTimeout(timer);
        settle(value);
      };
      const fail = (fate) => end(reject, new RequestError(topic, answer, fate));
      const unsubscribe = this.subscribe(answer, (heard) => {
        if (this.#isGreeted && accept(heard)) {
          end(resolve, heard);
        }
      });
      const late = () => fail(delivery.fate === "sent" ? "unanswered" : "expired");
      const timer = this.#clock.setTimeout(late, within);
      delivery.settled.then((fate) => fate === "sent" || fail(fate));
    });
  }

  /** Closes the link for good. */
  close(code, reason) {
    this.#link.close(code, reason);
  }

  #sayHello() {
    this.#isGreeted = false;
    this.#link.send(INIT);
  }

  #receive(data) {
    if (typeof data !== "string") {
      this.#ignored += 1;
      return;
    }
    for (const line of data.split("\n")) {
      const message = parseLine(line);
      if (message.kind === "malformed") {
        this.#ignored += 1;
      } else if (message.topic === INIT_ANSWER) {
        this.#device = message.payload;
        this.#isGreeted = true;
      } else if (message.kind === "message") {
        this.#deliver(message);
      }
    }
  }

  #deliver({ topic, payload, text }) {
    for (const { filter, handler } of [...this.#subscriptions]) {
      if (matches(filter, topic)) {
        try {
          handler(payload, topic, text);
        } catch (error) {
          report(error);
        }
      }
    }
  }
}

/** A request without an answer. `fate` is "unanswered", or what became of the request. */
export class RequestError extends Error {
  name = "RequestError";

  constructor(topic, answer, fate) {
    super(fate === "unanswered"
      ? `nothing came on ${answer} in time after ${topic}`
      : `the request on ${topic} was not sent: ${fate}`);
    this.topic = topic;
    this.fate = fate;
  }
}

/**
 * Returns the path of the WebSocket that shows the topics under `base`; all topics when it is empty.
 *
 * A `/` of the base topic becomes `_`.
 */
export function linkPath(base) {
  const program = "/auth/clown-talk-server";
  return base === "" ? program : `${program}_${encodeURIComponent(base.replaceAll("/", "_"))}`;
}

/** Returns the WebSocket address on the server that served the page at `location`. */
export function linkAddress(location, base) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${linkPath(base)}`;
}

/**
 * Reads one line: `{ kind: "message", topic, text, payload }` with the payload's exact text and its
 * value, or `{ kind: "skipped" }` for an empty or log line, or `{ kind: "malformed" }`.
 */
export function parseLine(line) {
  const trimmed = line.trim();
  if (trimmed === "" || trimmed.startsWith("#")) {
    return { kind: "skipped" };
  }
  const parts = trimmed.length <= LINE_LENGTH_MAX && PAIR.exec(trimmed);
  if (!parts) {
    return { kind: "malformed" };
  }
  try {
    const topic = JSON.parse(parts[1]);
    const payload = JSON.parse(parts[2]);
    return { kind: "message", topic, text: parts[2].trim(), payload };
  } catch {
    return { kind: "malformed" };
  }
}

/** Writes one message; `text` is the payload's JSON text, on one line or several. */
export function encodeLine(topic, text) {
  // Line breaks of JSON stand between tokens only, never inside a string.
  return `[${JSON.stringify(topic)}, ${text.trim().replace(/[\r\n]+/g, " ")}]\n`;
}

/** Says whether a filter selects a topic. Topics that begin with `$` are selected by name only. */
export function matches(filter, topic) {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) {
    return false;
  }
  const isOpen = wanted.at(-1) === "#";
  if (isOpen) {
    wanted.pop();
  }
  return (isOpen ? levels.length >= wanted.length : levels.length === wanted.length)
    && wanted.every((level, index) => level === "+" || level === levels[index]);
}

/**
 * Returns where the answer to a request comes: the state's topic for `set` and `get`, `config/ok`
 * for changes and questions of a configuration, and `/ok` after every other configuration request.
 */
export function answerTopic(topic) {
  const [, configured] = /^(.+\/config)\/(?:set|get|update)$/.exec(topic) ?? [];
  if (configured) {
    return `${configured}/ok`;
  }
  if (/\/config\/[^/]+$/.test(topic)) {
    return `${topic}/ok`;
  }
  const [, state] = /^(.+)\/(?:set|get)$/.exec(topic) ?? [];
  if (state) {
    return state;
  }
  throw new TypeError(`where the answer to ${topic} comes is unknown; name it as the option answer`);
}

function checkFilter(filter) {
  const levels = filter.split("/");
  const isWrong = levels.some((level, index) =>
    (level.includes("+") && level !== "+")
    || (level.includes("#") && (level !== "#" || index !== levels.length - 1)));
  if (filter === "" || isWrong) {
    throw new TypeError(`${JSON.stringify(filter)} is no filter: + and # stand for whole levels, # for the last ones`);
  }
}

/** Lets the runtime tell an error in a handler, which must not keep a message from the others. */
function report(error) {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * An array of a string, long enough for any topic, and something more; JSON itself is checked
 * afterwards.
 */
const PAIR = /^\[\s*("(?:[^"\\]|\\.){0,8192}")\s*,([^]*)\]$/;
