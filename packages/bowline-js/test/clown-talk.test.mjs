// Clown.Talk: the lines, the topics, and the helper over a link without a network.

import assert from "node:assert/strict";
import test from "node:test";

import {
  ClownTalk, INIT, RequestError, answerTopic, encodeLine, linkAddress, linkPath, matches, parseLine,
} from "../clown-talk.js";
import { FakeClock, fakeSockets } from "./fakes.mjs";

function setUp() {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const talk = ClownTalk.connect("ws://hub.test/", { clock, WebSocket: sockets, random: () => 1 });
  const say = (...message) => sockets.last.say(`${JSON.stringify(message)}\n`);
  return { talk, clock, sockets, say };
}

test("it says hello whenever the link opens, before anything else", () => {
  const { talk, clock, sockets } = setUp();
  talk.publish("a", 1);
  sockets.last.open();
  assert.deepEqual(sockets.last.sent, [INIT, '["a", 1]\n']);
  sockets.last.end(1001);
  clock.pass(1000);
  sockets.last.open();
  assert.deepEqual(sockets.last.sent, [INIT]);
  const other = new ClownTalk(talk.link);
  assert.deepEqual(sockets.last.sent, [INIT, INIT]);
  other.close();
  assert.equal(talk.link.state, "closed");
});

test("subscribers hear the topics they asked for, until they leave", () => {
  const { talk, sockets, say } = setUp();
  const heard = [];
  const leave = talk.subscribe("relay/+", (...message) => heard.push(message));
  talk.subscribe("#", (_, topic) => heard.push(topic));
  sockets.last.open();
  sockets.last.say('["relay/a", {"n": 1.0}]\n# a log line\n["other", 2]\n');
  leave();
  say("relay/b", 3);
  assert.deepEqual(heard, [[{ n: 1 }, "relay/a", '{"n": 1.0}'], "relay/a", "other", "relay/b"]);
});

test("the answer to the hello is no message, and what is not understood is counted", () => {
  const { talk, sockets, say } = setUp();
  talk.subscribe("#", () => assert.fail());
  sockets.last.open();
  assert.equal(talk.device, undefined);
  say("clown.talk/-/config/ok", { device: "bridge" });
  assert.deepEqual(talk.device, { device: "bridge" });
  sockets.last.say("nonsense\n[]\n");
  sockets.last.say(new ArrayBuffer(1));
  assert.equal(talk.ignored, 3);
});

test("a request gets the first answer that comes on the topic for it", async () => {
  const { talk, clock, sockets, say } = setUp();
  sockets.last.open();
  const accept = ({ state }) => state === true;
  const state = talk.request("relay/a/set", { state: true }, { accept });
  const config = talk.request("relay/a/config/get");
  assert.deepEqual(sockets.last.sent.slice(1), [
    '["relay/a/set", {"state":true}]\n', '["relay/a/config/get", {}]\n',
  ]);
  say("relay/a", { state: true, old: 1 });
  say("relay/a/config/ok", { old: 1 });
  say("clown.talk/-/config/ok", {});
  say("relay/b", { state: true });
  say("relay/a", { state: false });
  say("relay/a", { state: true });
  say("relay/a", { state: true, late: 1 });
  say("relay/a/config/ok", { n: 1 });
  assert.deepEqual(await state, { state: true });
  assert.deepEqual(await config, { n: 1 });
  assert.equal(clock.size, 0);
});

test("a request without an answer fails in time and says why", async () => {
  const { talk, clock, sockets } = setUp();
  const rejection = (fate) => (error) => error instanceof RequestError && error.fate === fate;
  const unsent = assert.rejects(talk.request("a/get", {}, { within: 100 }), rejection("expired"));
  await Promise.resolve();
  clock.pass(99);
  const unheard = assert.rejects(talk.request("b/get", {}, { within: 101 }), rejection("unanswered"));
  await Promise.resolve();
  clock.pass(1);
  await unsent;
  sockets.last.open();
  assert.deepEqual(sockets.last.sent, [INIT, '["b/get", {}]\n']);
  clock.pass(100);
  await unheard;
  talk.close();
  await assert.rejects(talk.request("c/get"), rejection("refused"));
  await assert.rejects(talk.request("d"), /name it as the option answer/);
  assert.equal(clock.size, 0);
});

test("answers come where devices send them", () => {
  for (const [request, answer] of [
    ["relay/i2c0-3b/set", "relay/i2c0-3b"],
    ["relay/i2c0-3b/get", "relay/i2c0-3b"],
    ["thermometer/i2c0-48/config/update", "thermometer/i2c0-48/config/ok"],
    ["thermometer/i2c0-48/config/get", "thermometer/i2c0-48/config/ok"],
    ["nodes/bridge/0/-/-/config/list", "nodes/bridge/0/-/-/config/list/ok"],
    ["i2c/0/config/scan", "i2c/0/config/scan/ok"],
  ]) {
    assert.equal(answerTopic(request), answer);
  }
  assert.throws(() => answerTopic("relay/a"), TypeError);
});

test("filters select topics level by level", () => {
  for (const [filter, topic, expected] of [
    ["a/b", "a/b", true], ["a/b", "a/b/c", false], ["a/b/c", "a/b", false],
    ["a/+", "a/b", true], ["a/+", "a/", true], ["a/+", "a", false], ["a/+", "a/b/c", false],
    ["+/b", "a/b", true], ["+", "a", true],
    ["#", "a/b", true], ["a/#", "a/b/c", true], ["a/#", "a", true], ["a/#", "ab", false],
    ["#", "$SYS/a", false], ["+/a", "$SYS/a", false], ["$SYS/#", "$SYS/a", true],
  ]) {
    assert.equal(matches(filter, topic), expected, `${filter} ${topic}`);
  }
  const { talk } = setUp();
  for (const filter of ["", "a+", "a#", "#/a", "a/#/b", "+a/b"]) {
    assert.throws(() => talk.subscribe(filter, () => {}), TypeError, filter);
  }
});

test("what is no JSON cannot be published", () => {
  const { talk } = setUp();
  assert.throws(() => talk.publish("a", () => {}), TypeError);
  assert.throws(() => talk.publish("a", 1n), TypeError);
});

test("a base topic gives a path, with _ for /", () => {
  assert.equal(linkPath("nodes/bridge/0"), "/auth/clown-talk-server_nodes_bridge_0");
  assert.equal(linkPath(""), "/auth/clown-talk-server");
  assert.equal(linkPath("a b?"), "/auth/clown-talk-server_a%20b%3F");
});

test("the link goes to the server of the page, encrypted when the page is", () => {
  const address = (protocol) => linkAddress({ protocol, host: "hub:8080" }, "");
  assert.equal(address("http:"), "ws://hub:8080/auth/clown-talk-server");
  assert.equal(address("https:"), "wss://hub:8080/auth/clown-talk-server");
});

test("a message keeps the exact text of its payload", () => {
  for (const [line, topic, text] of [
    ['["a/b", {"n": 1.0}]', "a/b", '{"n": 1.0}'],
    [' ["a",[1 , 2] ] ', "a", "[1 , 2]"],
    ['["a\\"]\\\\", "]"]', 'a"]\\', '"]"'],
    ['["\\u0061", null]', "a", "null"],
  ]) {
    const message = parseLine(line);
    assert.deepEqual(message, { kind: "message", topic, text, payload: JSON.parse(text) });
  }
});

test("other lines are told apart", () => {
  for (const line of ["", "  ", "# a log line", "#"]) {
    assert.equal(parseLine(line).kind, "skipped", line);
  }
  const long = `["a", "${"x".repeat(1 << 20)}"]`;
  for (const line of ["x", "{}", "[]", '["a"]', '["a",]', '["a", 1, 2]', "[1, 2]", '["a", 1', '["a\n", 1]', long]) {
    assert.equal(parseLine(line).kind, "malformed", line.slice(0, 40));
  }
});

test("what is written is one line and can be read", () => {
  const line = encodeLine('a"b', ' {\n  "x": "\\n"\r\n}\n');
  assert.equal(line, '["a\\"b", {   "x": "\\n" }]\n');
  assert.deepEqual(parseLine(line).payload, { x: "\n" });
});
