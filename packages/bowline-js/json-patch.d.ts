import type { BowlineSocket, Clock, LinkOptions } from "./bowline.js";

/** A value as JSON has them. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** One operation of RFC 6902; `path` and `from` are JSON pointers (RFC 6901). */
export type Operation =
  | { op: "add" | "replace" | "test"; path: string; value: Json }
  | { op: "remove"; path: string }
  | { op: "move" | "copy"; path: string; from: string };

export type Patch = Operation[];

/**
 * Returns a document with a patch applied, all of it or nothing. The given document stays as it
 * was, and shares with the new one what did not change.
 *
 * @throws PatchError
 */
export function applyPatch<T = any>(document: unknown, patch: Patch): T;

/**
 * Returns what stands at a JSON pointer; undefined if nothing does.
 *
 * @throws PatchError for text that is no pointer, or an unsafe one.
 */
export function valueAt(document: unknown, pointer: string): any;

/**
 * Why a patch was not applied: it is no patch ("malformed"), names what is not there ("missing"),
 * a test failed ("test"), or a path has `__proto__` in it, or a value a member of that name
 * ("unsafe").
 */
export type PatchErrorKind = "malformed" | "missing" | "test" | "unsafe";

/** Why a patch was not applied. */
export class PatchError extends Error {
  constructor(kind: PatchErrorKind, message: string);
  readonly kind: PatchErrorKind;
  /** The place of the operation in the patch; undefined when there is no patch at all. */
  index: number | undefined;
  operation: unknown;
}

/** A proposal that the server did not accept. */
export class ProposalError extends Error {
  constructor(fate: "refused" | "unsent" | "unanswered", message: string);
  /** After "unanswered" the server may have accepted it nevertheless. */
  readonly fate: "refused" | "unsent" | "unanswered";
}

/** The `change` event. */
export interface ChangeEvent extends Event {
  /** What led here; null when the whole document came. */
  readonly patch: Patch | null;
}

/** The `refused` event. */
export interface RefusedEvent extends Event {
  /** The number of the proposal; null if the server could not tell. */
  readonly id: number | null;
  readonly reason: string;
}

/** The events of a document. */
export interface DocumentEvents {
  change: ChangeEvent;
  refused: RefusedEvent;
  replaced: Event;
  error: Event & { readonly message: string };
}

/**
 * The document of a session, as the server has it. It changes only by what the server sends.
 *
 * Fires `change`; `refused` when the server refuses a proposal; `replaced` when another page shows
 * the session, after which nothing more comes; and `error` when what the server sent is not
 * understood. Then, and when a version is missing, the whole document is asked for.
 */
export class SessionDocument<T = any> extends EventTarget {
  /** Opens a link to the address of a document. */
  static connect<T = any>(url: string | URL, options?: LinkOptions): SessionDocument<T>;
  /** Takes over a link that is not open yet. */
  constructor(link: BowlineSocket, options?: { clock?: Pick<Clock, "setTimeout" | "clearTimeout"> });

  readonly link: BowlineSocket;
  /** The document; undefined until the server has sent it. Do not change it: `propose` instead. */
  readonly document: T;
  /** Its version; 0 until the server has sent it. */
  readonly version: number;

  /**
   * Asks the server to apply a patch to the present version. Resolves with the version that has
   * it, once the document here has it too; rejects with a `ProposalError`, after `within`
   * milliseconds (default 10 000) at the latest.
   */
  propose(patch: Patch, options?: { within?: number }): Promise<number>;
  /** Closes the link for good. */
  close(code?: number, reason?: string): void;

  addEventListener<K extends keyof DocumentEvents>(
    type: K,
    listener: (event: DocumentEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof DocumentEvents>(
    type: K,
    listener: (event: DocumentEvents[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}
