// The type declarations name what the modules have, no more and no less.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import * as bowline from "../bowline.js";
import * as clownTalk from "../clown-talk.js";
import * as jsonPatch from "../json-patch.js";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

/** The first groups of all matches, sorted, each once. */
function all(text, pattern) {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();
}

/** The body of a declared class or interface, without comments. */
function body(declarations, head) {
  const start = declarations.indexOf(head);
  assert.notEqual(start, -1, head);
  const end = declarations.indexOf("\n}\n", start);
  return declarations.slice(start, end).replace(/\/\*\*.*?\*\//gs, "");
}

const MEMBER = /^ {2}(?:static |readonly )*(\w+)\??(?=<|\(|:)/gm;

for (const [file, module, classes] of [
  ["bowline", bowline, { BowlineSocket: new bowline.BowlineSocket("ws://a", { WebSocket: class {} }) }],
  ["clown-talk", clownTalk, {
    ClownTalk: new clownTalk.ClownTalk(new EventTarget()),
    RequestError: new clownTalk.RequestError("a", "b", "unanswered"),
  }],
  ["json-patch", jsonPatch, {
    PatchError: new jsonPatch.PatchError("test", "b"),
    ProposalError: new jsonPatch.ProposalError("unsent", "b"),
    SessionDocument: new jsonPatch.SessionDocument(new EventTarget()),
  }],
]) {
  const declarations = read(`${file}.d.ts`).replaceAll("<T = any>", "");

  test(`${file} exports what is declared`, () => {
    const declared = all(declarations, /^export (?:class|function|const) (\w+)/gm);
    assert.deepEqual(Object.keys(module).sort(), declared);
  });

  for (const [name, instance] of Object.entries(classes)) {
    test(`${name} has the declared members`, () => {
      const inherited = ["name", "addEventListener", "removeEventListener"];
      const declared = all(body(declarations, `export class ${name} `), MEMBER);
      const actual = [
        ...Object.getOwnPropertyNames(module[name].prototype),
        ...Object.getOwnPropertyNames(module[name]).filter((own) => own === "connect"),
        ...Object.keys(instance),
      ];
      const relevant = (names) => [...new Set(names)].filter((own) => !inherited.includes(own)).sort();
      assert.deepEqual(relevant(actual), relevant(declared));
    });
  }
}

test("the options of a link are the declared ones", () => {
  const declared = all(body(read("bowline.d.ts"), "export interface LinkOptions"), MEMBER);
  const [, defaults] = /const DEFAULTS = \{\n(.*?)\n\};/s.exec(read("bowline.js"));
  assert.deepEqual(all(defaults, /^ {2}(\w+)[:,]/gm), declared);
});
