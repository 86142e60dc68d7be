// JSON documents that a server keeps alike with patches (RFC 6902), and the patches by themselves.

import { BowlineSocket } from "./bowline.js";

/**
 * Returns a document with a patch applied, all of it or, by a `PatchError`, nothing. The given
 * document stays as it was, and shares with the new one what did not change.
 */
export function applyPatch(document, patch) {
  if (!Array.isArray(patch)) {
    throw new PatchError("malformed", "a patch is a list of operations");
  }
  const draft = new Draft(document);
  patch.forEach((operation, index) => {
    try {
      draft.apply(operation);
    } catch (error) {
      if (error instanceof PatchError) {
        error.index = index;
        error.operation = operation;
      }
      throw error;
    }
  });
  return draft.root;
}

/** Returns what stands at a JSON pointer (RFC 6901); undefined if nothing does. */
export function valueAt(document, pointer) {
  let value = document;
  for (const token of parsePointer(pointer)) {
    value = hasMember(value, token) ? value[token] : undefined;
  }
  return value;
}

/** Why a patch was not applied. */
export class PatchError extends Error {
  /** Its place in the patch. */
  index = undefined;
  operation = undefined;

  /** `kind`: "malformed", "missing", "test" or "unsafe". */
  constructor(kind, message) {
    super(message);
    this.name = "PatchError";
    this.kind = kind;
  }
}

/** A proposal that the server did not accept. */
export class ProposalError extends Error {
  /** `fate`: "refused" by the server, "unsent", or "unanswered". */
  constructor(fate, message) {
    super(message);
    this.name = "ProposalError";
    this.fate = fate;
  }
}

/**
 * The document of a session, as the server has it. It changes only by what the server sends.
 *
 * Fires `change`, with the `patch` that led here or null for a whole document; `refused` when the
 * server refuses a proposal, with its `reason`; `replaced` when another page shows the session;
 * and `error`, with a `message`, when what the server sent is not understood. Then, and when a
 * version is missing, the whole document is asked for.
 */
export class SessionDocument extends EventTarget {
  #link;
  #clock;
  #document;
  #version = 0;
  #isAwaited = false;
  #lastId = 0;
  /** The proposals that are not answered, by number. */
  #proposals = new Map();
  /** The accepted ones whose change comes with the whole document that is awaited. */
  #missed = [];

  /** Opens a link to the address of a document; the options are those of `BowlineSocket`. */
  static connect(url, options) {
    const link = new BowlineSocket(url, options);
    const document = new this(link, options);
    link.connect();
    return document;
  }

  /** Takes over a link that is not open yet. */
  constructor(link, { clock = globalThis } = {}) {
    super();
    this.#link = link;
    this.#clock = clock;
    link.addEventListener("message", ({ data }) => this.#receive(data));
    link.addEventListener("close", () => this.#lost());
  }

  get link() {
    return this.#link;
  }

  /** The document; undefined until the server has sent it. Do not change it: `propose` instead. */
  get document() {
    return this.#document;
  }

  /** Its version; 0 until the server has sent it. */
  get version() {
    return this.#version;
  }

  /**
   * Asks the server to apply a patch to the present version. Resolves with the version that has
   * it, once the document here has it too; rejects with a `ProposalError`, after `within`
   * milliseconds at the latest.
   */
  propose(patch, { within = 10_000 } = {}) {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const id = this.#lastId;
      const text = JSON.stringify({ version: this.#version, patch, id });
      if (this.#link.state !== "open" || this.#link.send(text, { keepFor: 0 }).fate !== "sent") {
        reject(new ProposalError("unsent", "the link is not open"));
        return;
      }
      const late = () => this.#settle(id, new ProposalError("unanswered", "no answer came"));
      const timer = this.#clock.setTimeout(late, within);
      this.#proposals.set(id, { resolve, reject, timer });
    });
  }

  /** Closes the link for good. */
  close(code, reason) {
    this.#link.close(code, reason);
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      message = null;
    }
    if (message === null || typeof message !== "object") {
      this.#complain("the server sent something that is no JSON object");
    } else if ("document" in message) {
      this.#replace(message);
    } else if ("patch" in message) {
      this.#change(message);
    } else if ("refused" in message) {
      this.#fire("refused", { id: message.refused, reason: message.reason });
      this.#settle(message.refused, new ProposalError("refused", message.reason));
    } else if ("replaced" in message) {
      this.#fire("replaced", {});
    } else {
      this.#complain("the server sent a message of an unknown kind");
    }
  }

  #replace({ document, version, answers }) {
    if (!isSafe(document)) {
      this.#complain("the document has a member __proto__");
      return;
    }
    this.#isAwaited = false;
    this.#enter(document, version, null, answers);
    this.#missed.splice(0).forEach((id) => this.#settle(id));
  }

  #change({ patch, version, answers }) {
    if (this.#isAwaited) {
      this.#miss(answers);
      return;
    }
    if (version !== this.#version + 1) {
      this.#miss(answers);
      this.#resend();
      return;
    }
    let document;
    try {
      document = applyPatch(this.#document, patch);
    } catch (error) {
      this.#complain(error.message);
      this.#miss(answers);
      this.#resend();
      return;
    }
    this.#enter(document, version, patch, answers);
  }

  #enter(document, version, patch, answers) {
    this.#document = document;
    this.#version = version;
    this.#fire("change", { patch });
    this.#settle(answers);
  }

  #miss(answers) {
    if (this.#proposals.has(answers)) {
      this.#missed.push(answers);
    }
  }

  /** Asks for the whole document, once until it is here. */
  #resend() {
    this.#isAwaited = true;
    this.#link.send(JSON.stringify({ resend: true }), { keepFor: 0 });
  }

  /** The next link begins with the whole document. */
  #lost() {
    this.#isAwaited = false;
    this.#missed = [];
    for (const id of [...this.#proposals.keys()]) {
      this.#settle(id, new ProposalError("unanswered", "the link was lost"));
    }
  }

  #settle(id, error) {
    const proposal = this.#proposals.get(id);
    if (!proposal) {
      return;
    }
    this.#proposals.delete(id);
    this.#clock.clearTimeout(proposal.timer);
    if (error) {
      proposal.reject(error);
    } else {
      proposal.resolve(this.#version);
    }
  }

  #complain(message) {
    this.#fire("error", { message });
  }

  #fire(type, members) {
    this.dispatchEvent(Object.assign(new Event(type), members));
  }
}

/** A document under change. Whatever it changes it copies first, once. */
class Draft {
  root;
  #copies = new Set();

  constructor(root) {
    this.root = root;
  }

  apply(operation) {
    if (operation === null || typeof operation !== "object") {
      throw new PatchError("malformed", "an operation is an object");
    }
    const path = parsePointer(operation.path);
    switch (operation.op) {
      case "add":
        this.#add(path, newValue(operation));
        break;
      case "remove":
        this.#remove(path);
        break;
      case "replace":
        this.#replace(path, newValue(operation));
        break;
      case "move":
        this.#move(parsePointer(operation.from), path);
        break;
      case "copy":
        this.#add(path, structuredClone(this.#get(parsePointer(operation.from))));
        break;
      case "test":
        if (!isEqual(this.#get(path), newValue(operation))) {
          throw new PatchError("test", `${operation.path} has another value`);
        }
        break;
      default:
        throw new PatchError("malformed", `there is no operation ${operation.op}`);
    }
  }

  #get(path) {
    let value = this.root;
    for (const token of path) {
      checkMember(value, token);
      value = value[token];
    }
    return value;
  }

  #add(path, value) {
    if (path.length === 0) {
      this.root = value;
      return;
    }
    const [target, token] = this.#writable(path);
    if (!Array.isArray(target)) {
      target[token] = value;
      return;
    }
    const at = token === "-" ? target.length : indexOf(token);
    if (at === undefined || at > target.length) {
      throw missing(token);
    }
    target.splice(at, 0, value);
  }

  #remove(path) {
    if (path.length === 0) {
      throw new PatchError("malformed", "the whole document cannot be removed");
    }
    const [target, token] = this.#writable(path);
    checkMember(target, token);
    if (Array.isArray(target)) {
      target.splice(Number(token), 1);
    } else {
      delete target[token];
    }
  }

  #replace(path, value) {
    if (path.length === 0) {
      this.root = value;
      return;
    }
    const [target, token] = this.#writable(path);
    checkMember(target, token);
    target[token] = value;
  }

  #move(from, path) {
    const value = this.#get(from);
    if (from.length <= path.length && from.every((token, index) => token === path[index])) {
      if (from.length === path.length) {
        return;
      }
      throw new PatchError("malformed", "nothing can be moved into itself");
    }
    this.#remove(from);
    this.#add(path, value);
  }

  /** The array or object that holds what `path` names, made safe to change, and its name there. */
  #writable(path) {
    this.root = this.#own(this.root);
    let target = this.root;
    for (const token of path.slice(0, -1)) {
      checkMember(target, token);
      target[token] = this.#own(target[token]);
      target = target[token];
    }
    const token = path.at(-1);
    if (target === null || typeof target !== "object") {
      throw missing(token);
    }
    return [target, token];
  }

  #own(value) {
    if (value === null || typeof value !== "object" || this.#copies.has(value)) {
      return value;
    }
    const copy = Array.isArray(value) ? [...value] : { ...value };
    this.#copies.add(copy);
    return copy;
  }
}

/** Takes a JSON pointer apart; refuses the name that stands for an object's prototype. */
function parsePointer(pointer) {
  if (typeof pointer !== "string" || (pointer !== "" && !pointer.startsWith("/"))) {
    throw new PatchError("malformed", `${pointer} is no JSON pointer`);
  }
  return pointer.split("/").slice(1).map((part) => {
    if (/~(?![01])/.test(part)) {
      throw new PatchError("malformed", `${pointer} is no JSON pointer`);
    }
    const token = part.replaceAll("~1", "/").replaceAll("~0", "~");
    // Only own members are looked at: no other name leads out of the document.
    if (token === "__proto__") {
      throw new PatchError("unsafe", `${token} is no name for a member`);
    }
    return token;
  });
}

function newValue(operation) {
  if (!Object.hasOwn(operation, "value") || operation.value === undefined) {
    throw new PatchError("malformed", `${operation.op} has no value`);
  }
  if (!isSafe(operation.value)) {
    throw new PatchError("unsafe", "the value has a member __proto__");
  }
  return operation.value;
}

/** Whether nothing in a value is named as objects name their prototype. */
function isSafe(value) {
  if (value === null || typeof value !== "object") {
    return true;
  }
  return !Object.hasOwn(value, "__proto__") && Object.values(value).every(isSafe);
}

function checkMember(value, token) {
  if (!hasMember(value, token)) {
    throw missing(token);
  }
}

function hasMember(value, token) {
  if (Array.isArray(value)) {
    return indexOf(token) < value.length;
  }
  return value !== null && typeof value === "object" && Object.hasOwn(value, token);
}

/** The index that a token names; undefined if it names none. */
function indexOf(token) {
  return /^(?:0|[1-9][0-9]*)$/.test(token) ? Number(token) : undefined;
}

function missing(token) {
  return new PatchError("missing", `there is nothing named ${token}`);
}

function isEqual(one, other) {
  if (one === other) {
    return true;
  }
  const areObjects = [one, other].every((value) => value !== null && typeof value === "object");
  if (!areObjects || Array.isArray(one) !== Array.isArray(other)) {
    return false;
  }
  const names = Object.keys(one);
  return names.length === Object.keys(other).length
    && names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]));
}

