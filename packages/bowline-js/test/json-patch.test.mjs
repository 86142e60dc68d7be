// Patches by RFC 6902, and the document of a session over a link without a network.

import assert from "node:assert/strict";
import test from "node:test";

import { BowlineSocket } from "../bowline.js";
import { PatchError, ProposalError, SessionDocument, applyPatch, valueAt } from "../json-patch.js";
import { FakeClock, fakeSockets } from "./fakes.mjs";

/** The examples of RFC 6902 appendix A: name, document, patch, result or kind of the error. */
const APPENDIX_A = [
  ["A.1", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
  ["A.2", { foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }],
    { foo: ["bar", "qux", "baz"] }],
  ["A.3", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
  ["A.4", { foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
  ["A.5", { baz: "qux", foo: "bar" }, [{ op: "replace", path: "/baz", value: "boo" }],
    { baz: "boo", foo: "bar" }],
  ["A.6", { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
    [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
    { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } }],
  ["A.7", { foo: ["all", "grass", "cows", "eat"] }, [{ op: "move", from: "/foo/1", path: "/foo/3" }],
    { foo: ["all", "cows", "eat", "grass"] }],
  ["A.8", { baz: "qux", foo: ["a", 2, "c"] },
    [{ op: "test", path: "/baz", value: "qux" }, { op: "test", path: "/foo/1", value: 2 }],
    { baz: "qux", foo: ["a", 2, "c"] }],
  ["A.9", { baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }], "test"],
  ["A.10", { foo: "bar" }, [{ op: "add", path: "/child", value: { grandchild: {} } }],
    { foo: "bar", child: { grandchild: {} } }],
  ["A.11", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux", xyz: 123 }],
    { foo: "bar", baz: "qux" }],
  ["A.12", { foo: "bar" }, [{ op: "add", path: "/baz/bat", value: "qux" }], "missing"],
  ["A.13", { foo: "bar" }, JSON.parse('[{"op":"add","path":"/baz","value":"qux","op":"remove"}]'),
    "missing"],
  ["A.14", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
  ["A.15", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: "10" }], "test"],
  ["A.16", { foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc", "def"] }],
    { foo: ["bar", ["abc", "def"]] }],
];

/** Further cases of the same form. */
const MORE = [
  ["the root is replaced", { a: 1 }, [{ op: "replace", path: "", value: [1] }], [1]],
  ["the root is added", 1, [{ op: "add", path: "", value: null }], null],
  ["the root is moved", { a: { b: 1 } }, [{ op: "move", from: "/a", path: "" }], { b: 1 }],
  ["the root is copied", { a: 1 }, [{ op: "copy", from: "", path: "/b" }], { a: 1, b: { a: 1 } }],
  ["the root stays", { a: 1 }, [{ op: "remove", path: "" }], "malformed"],
  ["a list grows at its end", [1], [{ op: "add", path: "/1", value: 2 }], [1, 2]],
  ["a list has no gaps", [1], [{ op: "add", path: "/2", value: 2 }], "missing"],
  ["an index has no leading zero", [1, 2], [{ op: "remove", path: "/01" }], "missing"],
  ["an index is a number", [1], [{ op: "replace", path: "/x", value: 1 }], "missing"],
  ["lists have no length to set", [1], [{ op: "replace", path: "/length", value: 0 }], "missing"],
  ["behind the end is nothing", [1], [{ op: "remove", path: "/-" }], "missing"],
  ["an empty name is a name", { "": 1 }, [{ op: "replace", path: "/", value: 2 }], { "": 2 }],
  ["inherited names are not there", {}, [{ op: "test", path: "/toString", value: 1 }], "missing"],
  ["inherited names can be added", {}, [{ op: "add", path: "/toString", value: 1 }], { toString: 1 }],
  ["null is a value", { a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
  ["texts have no members", { a: "b" }, [{ op: "add", path: "/a/0", value: 1 }], "missing"],
  ["what replaces must replace", {}, [{ op: "replace", path: "/a", value: 1 }], "missing"],
  ["objects are equal in any order", { a: { b: 1, c: [2] } },
    [{ op: "test", path: "/a", value: { c: [2], b: 1 } }], { a: { b: 1, c: [2] } }],
  ["lists are no objects", { a: [] }, [{ op: "test", path: "/a", value: {} }], "test"],
  ["fewer members are not equal", { a: { b: 1 } }, [{ op: "test", path: "/a", value: {} }], "test"],
  ["nothing goes into itself", { a: {} }, [{ op: "move", from: "/a", path: "/a/b" }], "malformed"],
  ["a move onto itself", { a: 1 }, [{ op: "move", from: "/a", path: "/a" }], { a: 1 }],
  ["names that begin alike", { a: 1 }, [{ op: "move", from: "/a", path: "/ab" }], { ab: 1 }],
  ["a copy is a copy", { a: { n: 1 } },
    [{ op: "copy", from: "/a", path: "/b" }, { op: "replace", path: "/b/n", value: 2 }],
    { a: { n: 1 }, b: { n: 2 } }],
  ["no patch", {}, { op: "remove", path: "/a" }, "malformed"],
  ["no operation", {}, [null], "malformed"],
  ["an unknown operation", {}, [{ op: "grow", path: "/a" }], "malformed"],
  ["no path", {}, [{ op: "remove" }], "malformed"],
  ["no value", {}, [{ op: "add", path: "/a" }], "malformed"],
  ["no from", { a: 1 }, [{ op: "move", path: "/a" }], "malformed"],
  ["a path without a slash", { a: 1 }, [{ op: "remove", path: "a" }], "malformed"],
  [
    "names that only objects with a prototype know",
    { constructor: { prototype: 1 } },
    [
      { op: "replace", path: "/constructor/prototype", value: 2 },
      { op: "add", path: "/prototype", value: 3 },
    ],
    { constructor: { prototype: 2 }, prototype: 3 },
  ],
  [
    "a member that the document only inherits",
    {},
    [{ op: "add", path: "/constructor/prototype/polluted", value: true }],
    "missing",
  ],
  ["a copy of what it only inherits", {}, [{ op: "copy", from: "/toString", path: "/a" }], "missing"],
  ["a wrong escape", { "~2": 1 }, [{ op: "remove", path: "/~2" }], "malformed"],
];

/** Ways to a prototype. */
const UNSAFE = [
  [{ op: "add", path: "/__proto__/polluted", value: true }],
  [{ op: "add", path: "/a/__proto__", value: { polluted: true } }],
  [{ op: "move", from: "/a", path: "/__proto__" }],
  [{ op: "copy", from: "/__proto__", path: "/a" }],
  [{ op: "test", path: "/__proto__", value: {} }],
  [{ op: "add", path: "/a", value: JSON.parse('{"deep": [{"__proto__": {"polluted": true}}]}') }],
];

for (const [name, document, patch, expected] of [...APPENDIX_A, ...MORE]) {
  test(`${name}: ${JSON.stringify(patch)}`, () => {
    const before = structuredClone(document);
    if (typeof expected === "string") {
      assert.throws(() => applyPatch(document, patch), { name: "PatchError", kind: expected });
    } else {
      assert.deepEqual(applyPatch(document, patch), expected);
    }
    assert.deepEqual(document, before);
  });
}

test("no patch reaches a prototype", () => {
  for (const patch of UNSAFE) {
    assert.throws(() => applyPatch({ a: {} }, patch), { name: "PatchError", kind: "unsafe" });
    assert.equal({}.polluted, undefined);
  }
});

test("a patch is applied whole or not at all, and an error says where it failed", () => {
  const document = { list: [1], other: {} };
  const patch = [
    { op: "add", path: "/list/-", value: 2 },
    { op: "remove", path: "/list/0" },
    { op: "test", path: "/other", value: 1 },
  ];
  assert.throws(() => applyPatch(document, patch), (error) => {
    assert(error instanceof PatchError);
    assert.deepEqual([error.index, error.operation], [2, patch[2]]);
    return true;
  });
  assert.deepEqual(document, { list: [1], other: {} });
  const next = applyPatch(document, patch.slice(0, 2));
  assert.deepEqual(next, { list: [2], other: {} });
  assert.equal(next.other, document.other, "what did not change is shared");
});

test("values are found by pointer", () => {
  const document = { a: [{ "b/c": 1 }], n: null };
  assert.equal(valueAt(document, "/a/0/b~1c"), 1);
  assert.equal(valueAt(document, ""), document);
  for (const pointer of ["/a/1", "/a/-", "/x/y", "/n/a", "/toString"]) {
    assert.equal(valueAt(document, pointer), undefined);
  }
  assert.throws(() => valueAt(document, "a"), PatchError);
});

function setUp() {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const document = SessionDocument.connect("ws://shop.test/", { clock, WebSocket: sockets });
  const events = [];
  for (const type of ["change", "refused", "replaced", "error"]) {
    document.addEventListener(type, (event) => events.push([type, event.patch ?? event.message]));
  }
  sockets.last.open();
  const say = (message) => sockets.last.say(JSON.stringify(message));
  const sent = () => sockets.last.sent.splice(0).map((text) => JSON.parse(text));
  return { document, clock, sockets, events, say, sent };
}

test("a document follows the server and tells each change", () => {
  const { document, events, say, sent } = setUp();
  assert.deepEqual([document.document, document.version], [undefined, 0]);
  say({ version: 4, document: { n: 1 } });
  const patch = [{ op: "replace", path: "/n", value: 2 }];
  say({ version: 5, patch });
  assert.deepEqual([document.document, document.version], [{ n: 2 }, 5]);
  assert.deepEqual(events, [["change", undefined], ["change", patch]]);
  say({ replaced: true });
  assert.deepEqual(events.at(-1), ["replaced", undefined]);
  assert.deepEqual(sent(), []);
});

test("what is missing or does not fit is asked for again, once", () => {
  const { document, events, say, sent } = setUp();
  const patch = [{ op: "replace", path: "/n", value: 2 }];
  say({ version: 2, patch });
  assert.deepEqual(sent(), [{ resend: true }]);
  say({ version: 3, patch });
  assert.deepEqual(sent(), []);
  say({ version: 3, document: { n: 2 } });
  say({ version: 4, patch: [{ op: "test", path: "/n", value: 1 }] });
  assert.deepEqual(sent(), [{ resend: true }]);
  assert.deepEqual(events.at(-1), ["error", "/n has another value"]);
  assert.deepEqual([document.document, document.version], [{ n: 2 }, 3]);
  say({ version: 4, document: { n: 1 } });
  say({ version: 5, patch: [{ op: "add", path: "/__proto__/x", value: 1 }] });
  assert.deepEqual(events.at(-1), ["error", "__proto__ is no name for a member"]);
  assert.equal({}.x, undefined);
});

test("a message that is not understood is an error and changes nothing", () => {
  const { document, events, say, sockets } = setUp();
  say({ version: 1, document: { n: 1 } });
  for (const text of ["{", "null", "7", '{"other": 1}', '{"version": 2, "document": {"__proto__": 1}}']) {
    sockets.last.say(text);
    assert.equal(events.at(-1)[0], "error", text);
  }
  assert.deepEqual([document.document, document.version], [{ n: 1 }, 1]);
});

test("a proposal is accepted once its change is here", async () => {
  const { document, clock, say, sent } = setUp();
  say({ version: 1, document: { n: 1 } });
  const patch = [{ op: "replace", path: "/n", value: 2 }];
  const proposal = document.propose(patch);
  assert.deepEqual(sent(), [{ version: 1, patch, id: 1 }]);
  assert.equal(document.document.n, 1);
  const timers = clock.size;
  say({ version: 2, patch, answers: 1 });
  assert.equal(await proposal, 2);
  assert.equal(document.document.n, 2);
  assert.equal(clock.size, timers - 1);
});

test("a proposal whose change was missed is accepted with the whole document", async () => {
  const { document, say } = setUp();
  say({ version: 1, document: { n: 1 } });
  const proposals = [document.propose([]), document.propose([])];
  say({ version: 3, patch: [], answers: 1 });
  say({ version: 4, patch: [], answers: 2 });
  say({ version: 4, document: { n: 4 } });
  assert.deepEqual(await Promise.all(proposals), [4, 4]);
});

test("a proposal fails when it is refused, late, cut off or cannot be sent", async () => {
  const { document, clock, sockets, events, say } = setUp();
  say({ version: 1, document: {} });
  const fails = (proposal, fate, message) =>
    assert.rejects(proposal, (error) => {
      assert(error instanceof ProposalError);
      assert.deepEqual([error.fate, error.message], [fate, message]);
      return true;
    });
  const [refused, late] = [document.propose([]), document.propose([], { within: 50 })];
  say({ refused: 1, reason: "no", version: 1 });
  await fails(refused, "refused", "no");
  assert.deepEqual(events.at(-1)[0], "refused");
  clock.pass(50);
  await fails(late, "unanswered", "no answer came");
  const cut = document.propose([]);
  sockets.last.end(1001);
  await fails(cut, "unanswered", "the link was lost");
  await fails(document.propose([]), "unsent", "the link is not open");
  assert.deepEqual(document.document, {}, "it is still shown");
});

test("a link that comes back begins with the whole document", () => {
  const { document, clock, sockets, say } = setUp();
  say({ version: 1, document: { n: 1 } });
  say({ version: 7, patch: [] });
  sockets.last.end(1006);
  clock.pass(1000);
  sockets.last.open();
  say({ version: 9, document: { n: 9 } });
  say({ version: 10, patch: [{ op: "remove", path: "/n" }] });
  assert.deepEqual([document.document, document.version], [{}, 10]);
  document.close();
  assert.equal(document.link.state, "closed");
  assert(document.link instanceof BowlineSocket);
});
