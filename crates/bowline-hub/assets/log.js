// The last messages, the newest first.

import { readable } from "./talk.js";

/** Messages in the log. */
export const MESSAGE_COUNT_MAX = 100;

/** Characters of a payload that are shown. */
const TEXT_LENGTH_MAX = 300;

/** Collects messages and draws them when it is told to. */
export class Log {
  #list;
  #empty;
  #waiting = [];
  #paused = false;

  constructor(document) {
    this.#list = document.getElementById("log");
    this.#empty = document.getElementById("log-empty");
  }

  /** Takes in a message; `direction` is "in" or "out". */
  add(direction, { topic, text }, now) {
    if (this.#paused) {
      return;
    }
    this.#waiting.push({ direction, topic, text: readable(text.slice(0, TEXT_LENGTH_MAX)), now });
    if (this.#waiting.length > MESSAGE_COUNT_MAX) {
      this.#waiting.shift();
    }
  }

  /** Stops or goes on taking in messages. */
  pause(paused) {
    this.#paused = paused;
  }

  /** Draws what came since the last time. */
  render() {
    if (this.#waiting.length === 0) {
      return;
    }
    const items = this.#waiting.map((message) => this.#item(message));
    this.#waiting = [];
    this.#list.prepend(...items.reverse());
    while (this.#list.childElementCount > MESSAGE_COUNT_MAX) {
      this.#list.lastElementChild.remove();
    }
    this.#empty.hidden = true;
  }

  #item({ direction, topic, text, now }) {
    const document = this.#list.ownerDocument;
    const item = document.createElement("li");
    item.dataset.direction = direction;
    const add = (tag, className, content) => {
      const child = document.createElement(tag);
      child.className = className;
      child.textContent = content;
      item.append(child, " ");
      return child;
    };
    const date = new Date(now);
    add("time", "log-time", date.toLocaleTimeString()).dateTime = date.toISOString();
    const arrow = add("span", "log-arrow", direction === "out" ? "\u2191" : "\u2193");
    arrow.setAttribute("role", "img");
    arrow.setAttribute("aria-label", direction === "out" ? "sent" : "received");
    add("span", "log-topic", topic);
    add("span", "log-text", text);
    return item;
  }
}
