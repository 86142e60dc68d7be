import type { BowlineSocket, Clock, Delivery, Fate, LinkOptions } from "./bowline.js";

/** Hears one message: its payload, its topic and the payload's exact JSON text. */
export type Handler = (payload: any, topic: string, text: string) => void;

/**
 * Speaks Clown.Talk over a link: says hello whenever it opens, and gives each message to those who
 * asked for its topic.
 */
export class ClownTalk {
  /** Opens a link to a Clown.Talk address. */
  static connect(url: string | URL, options?: LinkOptions): ClownTalk;
  /** Takes over a link. */
  constructor(link: BowlineSocket, options?: { clock?: Pick<Clock, "setTimeout" | "clearTimeout"> });

  readonly link: BowlineSocket;
  /** What the server told about itself in its answer to the first message. */
  readonly device: unknown;
  /** The number of lines and messages that were not understood. */
  readonly ignored: number;

  /**
   * Publishes a value. Default null.
   *
   * @throws TypeError for a payload that is not JSON.
   */
  publish(topic: string, payload?: unknown, options?: { keepFor?: number }): Delivery;
  /**
   * Gives every message whose topic matches `filter` to `handler`; `+` stands for one level, `#` at
   * the end for any number. Returns a function that ends the subscription.
   *
   * @throws TypeError for a misplaced wildcard.
   */
  subscribe(filter: string, handler: Handler): () => void;
  /**
   * Publishes a request, `{}` by default, and resolves with the payload of the first message on the
   * answer's topic that `accept` agrees to; by default any. Last values, which a server tells before
   * it answers the hello, do not count. Rejects with a `RequestError` when the request was not sent,
   * or after `within` milliseconds (default 5000).
   */
  request(
    topic: string,
    payload?: unknown,
    options?: { within?: number; answer?: string; accept?: (payload: any) => boolean },
  ): Promise<any>;
  /** Closes the link for good. */
  close(code?: number, reason?: string): void;
}

/** A request without an answer. */
export class RequestError extends Error {
  constructor(topic: string, answer: string, fate: Fate | "unanswered");
  readonly topic: string;
  /** "unanswered", or what became of the request. */
  readonly fate: Fate | "unanswered";
}

/** One line, understood or not. */
export type Line =
  | { kind: "message"; topic: string; text: string; payload: any }
  | { kind: "skipped" }
  | { kind: "malformed" };

/** The message a peer sends first. */
export const INIT: string;
/** The topic of the answer to it, which is no value of anybody. */
export const INIT_ANSWER: string;
/** Characters of a line that are read; longer ones are ignored. */
export const LINE_LENGTH_MAX: number;

/**
 * Returns the path of the WebSocket that shows the topics under `base`; all topics when it is empty.
 * A `/` of the base topic becomes `_`.
 */
export function linkPath(base: string): string;
/** Returns the WebSocket address on the server that served the page at `location`. */
export function linkAddress(location: Pick<Location, "protocol" | "host">, base: string): string;
/** Reads one line; empty lines and log lines are skipped. */
export function parseLine(line: string): Line;
/** Writes one message; `text` is the payload's JSON text, on one line or several. */
export function encodeLine(topic: string, text: string): string;
/** Says whether a filter selects a topic. Topics that begin with `$` are selected by name only. */
export function matches(filter: string, topic: string): boolean;
/**
 * Returns where the answer to a request comes: the state's topic for `set` and `get`, `config/ok`
 * for changes and questions of a configuration, and `/ok` after every other configuration request.
 *
 * @throws TypeError for other topics.
 */
export function answerTopic(topic: string): string;
