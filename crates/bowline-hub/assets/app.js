// Joins the link, the values and the views.

import { ClownTalk, encodeLine, linkAddress } from "./clown-talk.js";
import { Elements, placeOf } from "./elements.js";
import { Form } from "./form.js";
import { Log } from "./log.js";
import { Relays } from "./relays.js";
import { Table } from "./table.js";
import { Tiles } from "./tiles.js";
import { TOPIC_COUNT_MAX, Values } from "./values.js";

const element = (id) => document.getElementById(id);

// `?base=nodes/bridge/0` narrows the page to the topics under one base topic.
const base = new URLSearchParams(location.search).get("base") ?? "";
element("base").textContent = base;

const values = new Values();
const form = new Form(document, send);
const table = new Table(document, (topic) => form.choose(topic));
const tiles = new Tiles(document);
const relays = new Relays(document, orderRelay, announce);
const elements = new Elements(document, orderElement, announce);
const log = new Log(document);
const talk = ClownTalk.connect(linkAddress(location, base));
const { link } = talk;

/** Topics to draw, and drawn topics to take away; both bounded by what `values` holds. */
const changed = new Set();
const forgotten = new Set();
let drawing = false;

element("filter").addEventListener("input", (event) => table.filter(event.target.value));
talk.subscribe("#", (payload, topic, text) => take("in", { topic, text, payload }));
link.onmessage = draw;
link.onstatechange = showState;
element("retry").addEventListener("click", () => link.connect());
element("log-pause").addEventListener("click", (event) => {
  const paused = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", String(paused));
  log.pause(paused);
});
setInterval(tick, 1000);
showState();

/** Sends a message; the hub does not send it back, so the page takes it in itself. */
function send(topic, text) {
  // An order that comes late may do harm, so nothing is kept for the next link.
  const { fate } = link.send(encodeLine(topic, text), { keepFor: 0 });
  if (fate !== "sent") {
    const why = link.state === "open" ? "The connection is too slow at the moment." : "Not connected.";
    return `${why} The message was not sent.`;
  }
  take("out", { topic, text: text.trim(), payload: JSON.parse(text) });
  return "";
}

function orderRelay(topic, state) {
  return send(`${topic}/set`, JSON.stringify({ state }));
}

function orderElement(topic, value) {
  return send(topic, JSON.stringify(value));
}

function take(direction, message) {
  const now = Date.now();
  log.add(direction, message, now);
  const gone = values.update(message, now);
  changed.add(message.topic);
  forgotten.delete(message.topic);
  if (gone !== undefined) {
    changed.delete(gone);
    if (table.has(gone)) {
      forgotten.add(gone);
    }
  }
  draw();
}

/** Draws once per frame, however many messages came. */
function draw() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(render);
  }
}

function render() {
  drawing = false;
  const now = Date.now();
  for (const topic of forgotten) {
    table.remove(topic);
    tiles.remove(topic);
    relays.remove(topic);
    elements.remove(topic);
  }
  for (const topic of changed) {
    const entry = values.get(topic);
    // What describes an element is drawn as its card.
    if (placeOf(topic)?.about !== "element") {
      table.show(entry, now);
    }
    tiles.show(entry);
    relays.show(entry);
    elements.show(entry);
  }
  forgotten.clear();
  changed.clear();
  log.render();
  note("topics-note", values.size >= TOPIC_COUNT_MAX
    && `Only the ${TOPIC_COUNT_MAX} topics heard last are shown.`);
  note("ignored", talk.ignored > 0 && `Lines not understood and ignored: ${talk.ignored}.`);
}

function showState() {
  element("state").textContent = link.state;
  document.documentElement.dataset.state = link.state;
  element("retry").hidden = link.state !== "waiting" && link.state !== "closed";
  tick();
}

function tick() {
  const now = Date.now();
  const seconds = Math.ceil((link.retryAt - now) / 1000);
  element("state-detail").textContent = seconds > 0 ? `next attempt in ${seconds} s` : "";
  if (!document.hidden) {
    table.age(now);
  }
}

function announce(text) {
  element("announcer").textContent = text;
}

/** Shows a note, or hides it when there is no text. */
function note(id, text) {
  element(id).hidden = !text;
  element(id).textContent = text || "";
}
