// The link over a WebSocket without a network, at a clock that stands still.

import assert from "node:assert/strict";
import test from "node:test";

import { BowlineSocket, isFatal, retryDelay } from "../bowline.js";
import { FakeClock, fakeSockets } from "./fakes.mjs";

const URL = "ws://hub.test/";

/** A link, its clock, its sockets, and everything it told. */
function setUp(options = {}) {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const link = new BowlineSocket(URL, { clock, WebSocket: sockets, random: () => 1, ...options });
  const told = [];
  link.onopen = () => told.push("open");
  link.onmessage = ({ data }) => told.push(`message ${data}`);
  link.onerror = ({ message }) => told.push(`error ${message}`);
  link.onclose = ({ code, retryAt }) => told.push(`close ${code} ${retryAt && retryAt - clock.now()}`);
  link.onstatechange = () => told.push(`is ${link.state}`);
  /** Gives what was told since the last time. */
  const news = () => told.splice(0);
  return { link, clock, sockets, news };
}

test("a link opens, hears and closes as its handlers are told", () => {
  const { link, sockets, news, clock } = setUp({ protocols: ["a"] });
  assert.equal(link.state, "none");
  link.connect();
  link.connect();
  assert.deepEqual(sockets.all.map(({ url, protocols }) => [url, protocols]), [[URL, ["a"]]]);
  sockets.last.open();
  sockets.last.say("hello");
  link.close(3001, "enough");
  link.close();
  assert.deepEqual(sockets.last.closedWith, [3001, "enough"]);
  sockets.last.say("late");
  sockets.last.end(3001);
  assert.deepEqual(news(), [
    "is connecting", "open", "is open", "message hello", "is closed", "close 3001 0",
  ]);
  assert.equal(clock.size, 0);
});

test("listeners hear the same events as handlers", () => {
  const { link, sockets } = setUp();
  const heard = [];
  for (const type of ["open", "message", "close", "statechange"]) {
    link.addEventListener(type, (event) => heard.push(event.type));
  }
  link.connect();
  sockets.last.open();
  sockets.last.say("x");
  link.close();
  assert.deepEqual(heard, ["statechange", "open", "statechange", "message", "statechange", "close"]);
});

test("a lost link waits longer from attempt to attempt, up to a bound", () => {
  const { link, clock, sockets, news } = setUp();
  link.connect();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    sockets.last.end(1006);
    waits.push(link.retryAt - clock.now());
    assert.equal(link.state, "waiting");
    clock.pass(waits.at(-1) - 1);
    assert.equal(link.state, "waiting");
    clock.pass(1);
    assert.equal(link.state, "connecting");
    assert.equal(link.retryAt, 0);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(news().slice(0, 4), ["is connecting", "is waiting", "close 1006 1000", "is connecting"]);
});

test("half a minute without a server costs at most eight attempts, whatever the dice say", () => {
  for (const [random, attempts] of [[0, 8], [0.5, 6], [1, 5]]) {
    const { link, clock, sockets } = setUp({ random: () => random });
    const end = clock.now() + 30_000;
    link.connect();
    sockets.last.end(1006);
    while (link.retryAt <= end) {
      clock.pass(link.retryAt - clock.now());
      sockets.last.end(1006);
    }
    assert.equal(sockets.all.length, attempts);
  }
});

test("waits are spread, the first over its second half", () => {
  assert.deepEqual([retryDelay(0, 0), retryDelay(0, 1)], [500, 1000]);
  assert.deepEqual([retryDelay(3, 0), retryDelay(3, 0.5), retryDelay(3, 1)], [2000, 5000, 8000]);
  assert.equal(retryDelay(5000, 1), 30_000);
  assert.equal(retryDelay(0, 1, { firstDelay: 0, delayMax: 30_000 }), 0);
  assert.deepEqual([0, 1].map((random) => retryDelay(9, random, { firstDelay: 0, delayMax: 100 })), [25, 100]);
});

test("only a link that lasted starts the waits over", () => {
  const { link, clock, sockets } = setUp();
  link.connect();
  const lose = (lasted) => {
    sockets.last.open();
    clock.pass(lasted);
    sockets.last.end(1001);
    const wait = link.retryAt - clock.now();
    clock.pass(wait);
    return wait;
  };
  assert.deepEqual([lose(0), lose(4999), lose(5000), lose(0)], [1000, 2000, 1000, 2000]);
});

test("an attempt that takes too long is given up", () => {
  const { link, clock, sockets, news } = setUp();
  link.connect();
  const [slow] = sockets.all;
  clock.pass(10_000);
  assert.ok(slow.closedWith);
  assert.deepEqual(news(), ["is connecting", "is waiting", "close 1006 1000"]);
  clock.pass(1000);
  slow.open();
  assert.equal(link.state, "connecting");
  sockets.last.open();
  clock.pass(60_000);
  assert.equal(link.state, "open");
});

test("some endings are final", () => {
  for (const code of [1002, 1008, 4000, 4999]) {
    const { link, clock, sockets, news } = setUp();
    link.connect();
    sockets.last.open();
    sockets.last.end(code);
    assert.deepEqual(news().slice(-2), ["is closed", `close ${code} 0`]);
    assert.equal(clock.size, 0);
    link.reconnect();
    sockets.last.open();
    assert.equal(link.state, "open");
  }
  for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 3000]) {
    assert.ok(!isFatal({ code }), String(code));
  }
});

test("which endings are final can be chosen, and coming back switched off", () => {
  const choosy = setUp({ isFatal: ({ reason }) => reason === "enough" });
  choosy.link.connect();
  choosy.sockets.last.end(4000);
  assert.equal(choosy.link.state, "waiting");
  choosy.clock.pass(1000);
  choosy.sockets.last.end(1001, "enough");
  assert.equal(choosy.link.state, "closed");

  const manual = setUp({ reconnect: false });
  manual.link.connect();
  manual.sockets.last.end(1006);
  assert.deepEqual(manual.news(), ["is connecting", "is closed", "close 1006 0"]);
  manual.link.connect();
  assert.equal(manual.link.state, "connecting");
});

test("a server that says later is left alone for a while", () => {
  for (const [random, wait] of [[0, 5000], [1, 30_000]]) {
    for (const code of [1012, 1013]) {
      const { link, clock, sockets } = setUp({ random: () => random });
      link.connect();
      sockets.last.open();
      sockets.last.end(code);
      assert.equal(link.retryAt - clock.now(), wait);
    }
  }
});

test("a person who looks, or a network that is back, ends the wait, but not against the server's wish", () => {
  const page = new EventTarget();
  const online = new EventTarget();
  Object.assign(globalThis, {
    document: page,
    addEventListener: online.addEventListener.bind(online),
    removeEventListener: online.removeEventListener.bind(online),
  });
  try {
    const { link, sockets } = setUp();
    const wake = () => {
      online.dispatchEvent(new Event("online"));
      page.dispatchEvent(new Event("visibilitychange"));
    };
    link.connect();
    sockets.last.end(1006);
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    assert.equal(link.state, "waiting");
    page.hidden = false;
    wake();
    assert.equal(sockets.all.length, 2);
    sockets.last.end(1013);
    wake();
    assert.equal(link.state, "waiting");
    link.close();
    wake();
    assert.equal(link.state, "closed");
    assert.equal(sockets.all.length, 2);
  } finally {
    for (const name of ["document", "addEventListener", "removeEventListener"]) {
      delete globalThis[name];
    }
  }
});

test("reconnect opens a new link at once, in every state, and never two", () => {
  const { link, sockets, news, clock } = setUp();
  link.reconnect();
  link.reconnect();
  sockets.last.open();
  link.reconnect();
  sockets.last.open();
  sockets.last.end(1006);
  link.reconnect();
  link.close();
  link.reconnect();
  sockets.last.open();
  assert.equal(link.state, "open");
  const alive = sockets.all.filter(({ readyState }) => readyState < 2);
  assert.deepEqual(alive, [sockets.last]);
  assert.deepEqual(news().filter((line) => line.startsWith("close")), [
    "close 1006 0", "close 1000 0", "close 1006 1000", "close 1006 0",
  ]);
  assert.equal(clock.size, 0);
});

test("what is sent without a link is kept for the next one, after the hello", async () => {
  const { link, sockets } = setUp();
  link.onopen = () => link.send("hello");
  const first = link.send("one");
  link.connect();
  const bytes = new Uint8Array([1, 2]);
  const second = link.send(bytes.buffer);
  link.send(bytes.subarray(1));
  bytes.fill(9);
  assert.deepEqual([first.fate, second.fate, link.bufferedAmount], ["kept", "kept", 6]);
  sockets.last.open();
  assert.deepEqual(await Promise.all([first.settled, second.settled]), ["sent", "sent"]);
  assert.equal(link.bufferedAmount, 0);
  const [hello, one, copy, part] = sockets.last.sent;
  assert.deepEqual([hello, one], ["hello", "one"]);
  assert.deepEqual([new Uint8Array(copy), part], [new Uint8Array([1, 2]), new Uint8Array([2])]);
  assert.equal(link.send("now").fate, "sent");
});

test("a message that waits too long expires, and is never sent", async () => {
  const { link, clock, sockets } = setUp();
  link.connect();
  const deliveries = [
    link.send("none", { keepFor: 0 }), link.send("short", { keepFor: 1 }), link.send("default"),
    link.send("ever", { keepFor: Infinity }),
  ];
  const fates = () => deliveries.map(({ fate }) => fate);
  assert.deepEqual(fates(), ["expired", "kept", "kept", "kept"]);
  clock.pass(1);
  assert.deepEqual(fates(), ["expired", "expired", "kept", "kept"]);
  clock.pass(30_000);
  assert.deepEqual(fates(), ["expired", "expired", "expired", "kept"]);
  sockets.last.open();
  assert.deepEqual(sockets.last.sent, ["ever"]);
  assert.equal(await deliveries[1].settled, "expired");
});

test("the outbox has bounds, and closing drops what it holds", async () => {
  const { link, news } = setUp({ keepCountMax: 2, bufferMax: 10 });
  const kept = link.send("\u{e4}\u{e4}\u{e4}");
  assert.equal(link.bufferedAmount, 6);
  assert.equal(link.send("12345").fate, "refused");
  assert.equal(link.send("1234").fate, "kept");
  assert.equal(link.send("").fate, "refused");
  assert.deepEqual(news(), Array(2).fill("error a message was not accepted: the outbox is full"));
  link.close();
  assert.equal(await kept.settled, "dropped");
  assert.equal(link.bufferedAmount, 0);
  assert.equal(link.send("x").fate, "refused");
  assert.deepEqual(news(), ["is closed", "error a message was not accepted: the link is closed"]);
});

test("an open link that is too slow refuses messages, one that ends keeps them", () => {
  const { link, sockets } = setUp({ bufferMax: 10 });
  link.connect();
  sockets.last.open();
  sockets.last.bufferedAmount = 11;
  assert.equal(link.bufferedAmount, 11);
  assert.equal(link.send("x").fate, "refused");
  sockets.last.readyState = 2;
  const kept = link.send("y");
  assert.equal(kept.fate, "kept");
  sockets.last.end(1001);
  link.reconnect();
  sockets.last.open();
  assert.deepEqual([kept.fate, sockets.last.sent], ["sent", ["y"]]);
});

test("handlers may close or reconnect at any event", () => {
  for (const type of ["open", "close", "statechange", "message"]) {
    for (const action of ["close", "reconnect", "connect"]) {
      const { link, clock, sockets } = setUp();
      link.connect();
      let budget = 3;
      link.addEventListener(type, () => budget-- > 0 && link[action]());
      sockets.last.open();
      if (link.state === "open") sockets.last.say("x");
      if (link.state === "open") sockets.last.end(1006);
      clock.pass(1000);
      const alive = sockets.all.filter(({ readyState }) => readyState < 2);
      const wanted = link.state === "closed" || link.state === "waiting" ? 0 : 1;
      assert.equal(alive.length, wanted, `${action} at ${type}, ${link.state}`);
    }
  }
});

test("what a program does wrong is an error at once", () => {
  const { link, sockets } = setUp();
  assert.throws(() => new BowlineSocket(URL, { retries: 3, WebSocket: sockets }), /no option retries/);
  assert.throws(() => new BowlineSocket(URL, { WebSocket: null }), /give one as the option WebSocket/);
  assert.throws(() => BowlineSocket.connect("no address", { WebSocket: sockets }));
  for (const data of [1, null, undefined, {}, [1]]) {
    assert.throws(() => link.send(data), TypeError);
  }
  for (const code of [0, 1001, 1006, 2999, 5000, 3000.5]) {
    assert.throws(() => link.close(code), RangeError);
  }
  assert.throws(() => link.close(1000, "\u{e4}".repeat(62)), RangeError);
  assert.equal(link.state, "none");
});
