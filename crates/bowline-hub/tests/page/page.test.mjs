// The page's pure parts. Run with `node --test`.

import assert from "node:assert/strict";
import test from "node:test";

import { retryDelay } from "../../assets/link.js";
import { ageText } from "../../assets/table.js";
import {
  encodeLine, isRelayTopic, linkAddress, linkPath, measurements, parseLine, payloadProblem, readable,
  relayState, topicProblem,
} from "../../assets/talk.js";
import { points } from "../../assets/tiles.js";
import { Values } from "../../assets/values.js";

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

test("topics nobody can publish on are refused with a reason", () => {
  for (const topic of ["", "a/+", "#", "$SYS/a", "a\0"]) {
    assert.notEqual(topicProblem(topic), "", topic);
  }
  for (const topic of ["a", "a/$b", "relay/i2c0-3b/set"]) {
    assert.equal(topicProblem(topic), "", topic);
  }
});

test("a payload that is not JSON is refused with the likely slip", () => {
  for (const [text, part] of [
    ["", "write null"],
    ["on", '"on"'],
    ["{'state': 1}", "double quotes, not single"],
    ["{state: true}", "Names in an object"],
    ['{"a": 1,}', "comma before a closing bracket"],
    ['{"a": [1}', "bracket"],
  ]) {
    assert.ok(payloadProblem(text).includes(part), payloadProblem(text));
  }
  for (const text of ["null", ' {"a":\n1} ', '"x"', "1e3"]) {
    assert.equal(payloadProblem(text), "", text);
  }
});

test("relays are known by their topic and their state", () => {
  for (const topic of ["relay/i2c0-3b", "nodes/bridge/0/relay/i2c0-3f"]) {
    assert.ok(isRelayTopic(topic), topic);
  }
  for (const topic of ["relay", "relay/", "relay/set", "relay/i2c0-3b/set", "myrelay/x", "relay/x/config/ok"]) {
    assert.ok(!isRelayTopic(topic), topic);
  }
  assert.deepEqual([{ state: true }, { state: false }, { state: null }].map(relayState), [true, false, null]);
  assert.deepEqual([{}, { state: "on" }, null, [], true].map(relayState), Array(5).fill(undefined));
});

test("measured values are pairs of a number and a unit", () => {
  assert.deepEqual(measurements({ temperature: [23.06, "\u2103"], x: [1], y: ["1", "m"], z: 3 }), [
    { quantity: "temperature", number: 23.06, unit: "\u2103" },
  ]);
  assert.deepEqual([null, 1, [1, "m"], "x"].map(measurements), [[], [], [], []]);
});

test("escapes become characters, but only visible ones", () => {
  assert.equal(readable('"\\u2103 \\u010d"'), '"\u2103 \u010d"');
  for (const text of ['"\\\\u2103"', '"\\u202e"', '"\\u0022"', '"\\ud83d"', '"\\u00a0"', '"\\n"']) {
    assert.equal(readable(text), text);
  }
});

test("only the topics heard last are remembered", () => {
  const values = new Values(2);
  const message = (topic) => ({ topic, text: "1", payload: 1 });
  assert.equal(values.update(message("a"), 0), undefined);
  assert.equal(values.update(message("b"), 1), undefined);
  assert.equal(values.update(message("a"), 2), undefined);
  assert.equal(values.update(message("c"), 3), "b");
  assert.equal(values.get("b"), undefined);
  assert.equal(values.get("a").heardAt, 2);
  assert.equal(values.size, 2);
});

test("waiting times double up to a bound and are spread", () => {
  assert.deepEqual([0, 1, 2, 3].map((attempt) => retryDelay(attempt, 1)), [1000, 2000, 4000, 8000]);
  assert.deepEqual([retryDelay(50, 1), retryDelay(50, 0)], [30_000, 15_000]);
  assert.equal(retryDelay(0, 0), 500);
});

test("ages are short words", () => {
  const ages = [0, 1999, 59_999, 60_000, 3_600_000, 90_000_000, -5].map((age) => ageText(0, age));
  assert.deepEqual(ages, ["now", "now", "59 s ago", "1 min ago", "1 h ago", "1 d ago", "now"]);
});

test("a line through samples stays inside its picture", () => {
  assert.equal(points([1]), "");
  assert.equal(points([1, 3, 2]), "0.0,26.0 60.0,2.0 120.0,14.0");
  assert.equal(points([5, 5]), "0.0,26.0 120.0,26.0");
});
