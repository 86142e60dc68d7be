// A switch for each relay.

import { isRelayTopic, relayState } from "./talk.js";

/** Switches on the page. */
const RELAY_COUNT_MAX = 64;

/** Time a relay has to tell its new state, in milliseconds. */
const ANSWER_MAX = 3000;

/** One switch a relay. A switch shows what the relay published, never what was only asked for. */
export class Relays {
  #section;
  #list;
  #order;
  #announce;
  #relays = new Map();

  /**
   * `order(topic, state)` sends the order and returns an empty text or what went wrong;
   * `announce(text)` tells people who cannot see.
   */
  constructor(document, order, announce) {
    this.#section = document.getElementById("relays-section");
    this.#list = document.getElementById("relays");
    this.#order = order;
    this.#announce = announce;
  }

  show(entry) {
    const state = isRelayTopic(entry.topic) ? relayState(entry.payload) : undefined;
    if (state === undefined) {
      return;
    }
    const relay = this.#relays.get(entry.topic) ?? this.#add(entry.topic);
    if (relay) {
      this.#showState(relay, state);
    }
  }

  remove(topic) {
    const relay = this.#relays.get(topic);
    if (relay) {
      clearTimeout(relay.timer);
      relay.element.remove();
      this.#relays.delete(topic);
      this.#section.hidden = this.#relays.size === 0;
    }
  }

  #add(topic) {
    if (this.#relays.size >= RELAY_COUNT_MAX) {
      return undefined;
    }
    const document = this.#list.ownerDocument;
    const element = document.createElement("li");
    element.className = "relay";
    const label = document.createElement("span");
    label.className = "relay-label";
    const name = document.createElement("span");
    name.className = "relay-name";
    name.textContent = topic.split("/").slice(-2).join(" ");
    const path = document.createElement("span");
    path.className = "quiet relay-topic";
    path.textContent = topic;
    path.title = topic;
    label.append(name, path);
    const note = document.createElement("span");
    note.className = "relay-note";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "switch";
    button.dataset.topic = topic;
    button.setAttribute("role", "switch");
    button.setAttribute("aria-label", topic);
    element.append(label, note, button);
    this.#list.append(element);
    this.#section.hidden = false;

    const relay = { element, button, note, topic, state: undefined, timer: 0 };
    button.addEventListener("click", () => this.#click(relay));
    this.#relays.set(topic, relay);
    return relay;
  }

  #click(relay) {
    const problem = this.#order(relay.topic, relay.state !== true);
    clearTimeout(relay.timer);
    if (problem) {
      this.#settle(relay, problem);
      return;
    }
    relay.button.setAttribute("aria-busy", "true");
    relay.note.textContent = "asked \u2026";
    relay.timer = setTimeout(() => this.#settle(relay, "no answer"), ANSWER_MAX);
  }

  #settle(relay, note) {
    relay.button.removeAttribute("aria-busy");
    relay.note.textContent = note;
    this.#announce(`${relay.topic}: ${note}`);
  }

  #showState(relay, state) {
    clearTimeout(relay.timer);
    relay.button.removeAttribute("aria-busy");
    relay.button.setAttribute("aria-checked", String(state === true));
    relay.button.dataset.state = String(state);
    relay.note.textContent = STATE_NAMES.get(state);
    if (relay.state !== undefined && relay.state !== state) {
      this.#announce(`${relay.topic}: ${STATE_NAMES.get(state)}`);
    }
    relay.state = state;
  }
}

const STATE_NAMES = new Map([[true, "on"], [false, "off"], [null, "unknown"]]);
