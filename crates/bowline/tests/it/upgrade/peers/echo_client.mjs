// Has what it sends sent back by the server named on the command line.

import assert from "node:assert";
import { once } from "node:events";
import { createRequire } from "node:module";
import process from "node:process";

const [url, modules] = process.argv.slice(2);
const WebSocket = createRequire(`${modules}/`)("ws");

const ws = new WebSocket(url);
const [greeting] = await once(ws, "message");
assert.match(greeting.toString(), /^hello/);
const messages = ["", "κόσμε", Buffer.of(), Buffer.of(0, 255), "x".repeat(1 << 20), Buffer.alloc(1 << 20)];
for (const message of messages) {
  ws.send(message);
  const [answer, isBinary] = await once(ws, "message");
  assert.equal(isBinary, typeof message !== "string");
  assert.deepEqual(isBinary ? answer : answer.toString(), message);
}
ws.ping("still there?");
const [payload] = await once(ws, "pong");
assert.equal(payload.toString(), "still there?");
ws.close(3000, "done");
const [code] = await once(ws, "close");
assert.equal(code, 3000);
console.log("agreed");
