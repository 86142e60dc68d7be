// Runs the package in Node: `node node.mjs (ws|native) (talk|echo|stay|shop) <url>`.

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

import * as bowline from "../bowline.js";
import * as clownTalk from "../clown-talk.js";
import * as jsonPatch from "../json-patch.js";
import { echo, shop, talkWithNode } from "./hub.mjs";

const [kind, what, url] = process.argv.slice(2);
const options = {};
if (kind === "ws") {
  const require = createRequire(join(process.env.BOWLINE_NODE_MODULES, "here.js"));
  options.WebSocket = require("ws").WebSocket;
}

/** Tells every state and the fate of every line of input, which it publishes. */
function stay() {
  const talk = clownTalk.ClownTalk.connect(url, { ...options, firstDelay: 0, delayMax: 200 });
  talk.link.onstatechange = () => console.log(talk.link.state);
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const delivery = talk.publish("line", line);
    console.log(delivery.fate);
    console.log(await delivery.settled);
  });
}

const modules = { ...bowline, ...clownTalk, ...jsonPatch };
await { talk: talkWithNode, echo, stay, shop }[what](modules, url, options);
