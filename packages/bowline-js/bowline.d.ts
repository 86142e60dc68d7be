/** Where a link stands. */
export type LinkState = "none" | "connecting" | "open" | "waiting" | "closed";

/**
 * What became of a message: it was handed to an open link ("sent"), waits for one ("kept"), waited
 * too long ("expired"), was thrown away when the link was closed ("dropped"), or was not accepted
 * because the link is closed or a bound is reached ("refused"; an `error` event tells which).
 *
 * "sent" is what a WebSocket can tell. Only an answer shows that the message arrived.
 */
export type Fate = "kept" | "sent" | "expired" | "dropped" | "refused";

/** The fate of one message. */
export interface Delivery {
  /** The fate so far. */
  readonly fate: Fate;
  /** Resolves with the final fate, which is never "kept"; never rejects. */
  readonly settled: Promise<Exclude<Fate, "kept">>;
}

/** What can be sent. */
export type Data = string | Blob | ArrayBuffer | ArrayBufferView;

/** How a link ended. */
export interface LinkEnd {
  /** The close code; 1006 when no close came. */
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** The `close` event: one for each link or attempt that ended. */
export interface LinkCloseEvent extends Event, LinkEnd {
  /** When the next attempt begins, as of `Date.now()`; 0 when none is planned. */
  readonly retryAt: number;
}

/** The `error` event. */
export interface LinkErrorEvent extends Event {
  readonly message: string;
}

/** A source of time; the default is the real one. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Options of a link; all times are milliseconds. */
export interface LinkOptions {
  /** Subprotocols to offer. Default none. */
  protocols?: string | string[];
  /** Whether a lost link is opened again. Default true. */
  reconnect?: boolean;
  /** Whether an ending makes another attempt pointless. Default `isFatal`. */
  isFatal?: (end: LinkEnd) => boolean;
  /** Longest wait before the first attempt; 0 means at once. Default 1000. */
  firstDelay?: number;
  /** Longest wait before every other attempt. Default 30 000. */
  delayMax?: number;
  /** How long a link must have been open for its loss to start the waits over. Default 5000. */
  stableAfter?: number;
  /** How long an attempt may take. Default 10 000. */
  connectTimeout?: number;
  /** How long a message waits for an open link; 0 means not at all. Default 30 000. */
  keepFor?: number;
  /** Messages that wait for a link at the same time. Default 1000. */
  keepCountMax?: number;
  /** Bytes that wait for a link, and bytes an open link may owe the network. Default 1 MiB. */
  bufferMax?: number;
  /** The WebSocket to use. Default the global one. */
  WebSocket?: new (url: string, protocols?: string | string[]) => unknown;
  /** A number in 0..1. Default `Math.random`. */
  random?: () => number;
  clock?: Clock;
}

/** The events of a link. */
export interface LinkEvents {
  open: Event;
  message: MessageEvent;
  error: LinkErrorEvent;
  close: LinkCloseEvent;
  statechange: Event;
}

/**
 * A link to one WebSocket server that is opened again whenever it is lost.
 *
 * Fires `open`, `message`, `error` and `close` as a browser's WebSocket does, once for each link or
 * attempt, and `statechange`.
 */
export class BowlineSocket extends EventTarget {
  /**
   * Prepares a link; `connect` opens it.
   *
   * @throws TypeError for an unknown option, or where there is no WebSocket.
   */
  constructor(url: string | URL, options?: LinkOptions);
  /** Makes a link and opens it. */
  static connect(url: string | URL, options?: LinkOptions): BowlineSocket;

  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: LinkErrorEvent) => void) | null;
  onclose: ((event: LinkCloseEvent) => void) | null;
  onstatechange: ((event: Event) => void) | null;

  readonly url: string;
  /** "none" before the first attempt, then "connecting", "open", "waiting" or "closed". */
  readonly state: LinkState;
  /** When the next attempt begins, in milliseconds as of `Date.now()`; 0 when none is planned. */
  readonly retryAt: number;
  /** The subprotocol of the open link. */
  readonly protocol: string;
  /** Bytes that were accepted and have not left yet, kept ones too. */
  readonly bufferedAmount: number;
  /** What binary messages arrive as. Default "blob". */
  binaryType: "blob" | "arraybuffer";

  /**
   * Connects now, unless a link is open or under way.
   *
   * @throws SyntaxError for what is no WebSocket address.
   */
  connect(): void;
  /** Closes the link, if there is one, and opens a new one now, whatever the state. */
  reconnect(): void;
  /**
   * Sends a message; without an open link it is kept for at most `keepFor` milliseconds.
   *
   * @throws TypeError for other data.
   */
  send(data: Data, options?: { keepFor?: number }): Delivery;
  /**
   * Closes the link for good; only `connect` and `reconnect` open it again. What was kept is
   * dropped. The closing handshake goes on behind.
   *
   * @throws RangeError for a code that is not 1000 or 3000 to 4999, or a reason over 123 bytes.
   */
  close(code?: number, reason?: string): void;

  addEventListener<K extends keyof LinkEvents>(
    type: K,
    listener: (event: LinkEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof LinkEvents>(
    type: K,
    listener: (event: LinkEvents[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}

/**
 * Says whether another attempt is pointless after a link ended like this: the server saw a broken
 * rule (1002, 1008), or the application closed with a code of its own (4000 to 4999).
 */
export function isFatal(end: Pick<LinkEnd, "code">): boolean;

/**
 * Returns the milliseconds to wait before attempt `attempt` (from 0); `random` is in 0..1. The
 * first wait is between half of `firstDelay` and all of it; the next ones are between a quarter of a
 * bound that doubles and all of it, so that no luck makes them many.
 */
export function retryDelay(
  attempt: number,
  random: number,
  options?: { firstDelay: number; delayMax: number },
): number;
