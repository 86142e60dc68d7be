// The page's pure parts. Run with `node --test`.

import assert from "node:assert/strict";
import test from "node:test";

import { joined, placeOf, shown } from "../../assets/elements.js";
import { ageText } from "../../assets/table.js";
import {
  isRelayTopic, measurements, payloadProblem, readable, relayState, topicProblem,
} from "../../assets/talk.js";
import { points } from "../../assets/tiles.js";
import { Values } from "../../assets/values.js";

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

test("ages are short words", () => {
  const ages = [0, 1999, 59_999, 60_000, 3_600_000, 90_000_000, -5].map((age) => ageText(0, age));
  assert.deepEqual(ages, ["now", "now", "59 s ago", "1 min ago", "1 h ago", "1 d ago", "now"]);
});

test("a line through samples stays inside its picture", () => {
  assert.equal(points([1]), "");
  assert.equal(points([1, 3, 2]), "0.0,26.0 60.0,2.0 120.0,14.0");
  assert.equal(points([5, 5]), "0.0,26.0 120.0,26.0");
});

test("topics of connectors tell values, alarms and the element itself", () => {
  for (const [topic, place] of [
    ["connectors/tank/Level", { element: "tank", parameter: "Level", is: "value" }],
    ["connectors/tank/Level/alarm", { element: "tank", parameter: "Level", is: "alarm" }],
    ["connectors/tank/-/health", { element: "tank", about: "health" }],
  ]) {
    assert.deepEqual(placeOf(topic), place);
  }
  for (const topic of ["connectors/tank", "connectors/tank/Level/set", "connectors/tank/-", "a/tank/Level"]) {
    assert.equal(placeOf(topic), undefined, topic);
  }
});

test("a value is shown by its label, and its halves are one parameter", () => {
  const labels = [{ label: "Closed", value: 0 }, { label: "Open", value: 1 }];
  assert.equal(shown(1, labels), "Open");
  assert.equal(shown(2, labels), "2");
  assert.equal(shown(undefined, labels), "");
  assert.deepEqual([shown(31, [], 1), shown(2.25, [], 1), shown(31, [])], ["31.0", "2.3", "31"]);
  const [level, button] = joined([
    { topic: "Level", description: "Level", units: "cm", settable: false, kind: "number", labels: [] },
    { topic: "Level", description: "Level", units: "", settable: true, kind: "number", labels: [] },
    { topic: "Reset", description: "Reset", units: "", settable: true, kind: "button", labels },
  ]);
  assert.deepEqual([level.settable, level.readable, level.units], [true, true, "cm"]);
  assert.deepEqual([button.settable, button.readable, button.choices], [true, false, labels]);
});
