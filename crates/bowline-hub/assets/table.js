// The table of topics and values.

import { readable } from "./talk.js";

/** Characters of a value that are shown. */
const VALUE_LENGTH_MAX = 2000;

/** One row a topic, in the order of their names. */
export class Table {
  #body;
  #empty;
  #count;
  #choose;
  #filter = "";
  /** By topic: the row, its cells and what they show. */
  #rows = new Map();
  /** Topics in the order of the rows. */
  #order = [];

  /** `choose(topic)` is called when a person picks a topic. */
  constructor(document, choose) {
    this.#body = document.getElementById("topics");
    this.#empty = document.getElementById("topics-empty");
    this.#count = document.getElementById("topic-count");
    this.#choose = choose;
  }

  has(topic) {
    return this.#rows.has(topic);
  }

  show(entry, now) {
    const row = this.#rows.get(entry.topic) ?? this.#add(entry.topic);
    if (row.text !== entry.text) {
      const value = readable(shorten(entry.text));
      row.value.textContent = value;
      if (row.text !== undefined) {
        mark(row.element);
      }
      row.text = entry.text;
      row.search = `${entry.topic}\n${value}`.toLowerCase();
      this.#sift(row);
    }
    row.heardAt = entry.heardAt;
    showAge(row, now);
  }

  remove(topic) {
    const row = this.#rows.get(topic);
    if (row) {
      row.element.remove();
      this.#rows.delete(topic);
      this.#order.splice(place(this.#order, topic), 1);
      this.#summarise();
    }
  }

  /** Shows only rows whose topic or value holds `text`. */
  filter(text) {
    this.#filter = text.trim().toLowerCase();
    for (const row of this.#rows.values()) {
      this.#sift(row);
    }
    this.#summarise();
  }

  /** Brings all ages up to date. */
  age(now) {
    for (const row of this.#rows.values()) {
      showAge(row, now);
    }
  }

  #add(topic) {
    const document = this.#body.ownerDocument;
    const element = document.createElement("tr");
    element.dataset.topic = topic;
    const name = document.createElement("th");
    name.scope = "row";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "topic";
    button.textContent = topic;
    button.title = "Use this topic in the form";
    button.addEventListener("click", () => this.#choose(topic));
    name.append(button);
    const value = document.createElement("td");
    value.className = "value";
    const heard = document.createElement("td");
    heard.className = "heard";
    const time = document.createElement("time");
    heard.append(time);
    element.append(name, value, heard);

    const row = { element, value, time, text: undefined, heardAt: 0, shownAt: 0, search: "" };
    const index = place(this.#order, topic);
    this.#body.insertBefore(element, this.#body.children[index] ?? null);
    this.#order.splice(index, 0, topic);
    this.#rows.set(topic, row);
    this.#summarise();
    return row;
  }

  #sift(row) {
    row.element.hidden = !row.search.includes(this.#filter);
  }

  #summarise() {
    this.#count.textContent = String(this.#rows.size);
    this.#empty.hidden = this.#rows.size > 0;
  }
}

/** Says in short words how long ago `then` was; both in milliseconds. */
export function ageText(then, now) {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (seconds < 2) {
    return "now";
  }
  if (seconds < 60) {
    return `${seconds} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  return seconds < 86_400
    ? `${Math.floor(seconds / 3600)} h ago`
    : `${Math.floor(seconds / 86_400)} d ago`;
}

function showAge(row, now) {
  const text = ageText(row.heardAt, now);
  if (row.time.textContent !== text) {
    row.time.textContent = text;
  }
  if (row.shownAt !== row.heardAt) {
    const date = new Date(row.heardAt);
    row.time.dateTime = date.toISOString();
    row.time.title = date.toLocaleString();
    row.shownAt = row.heardAt;
  }
}

/** Lets a row light up; the animation of the class starts again each time. */
function mark(element) {
  element.classList.remove("changed");
  // Reading a measure makes the browser see the row without the class first.
  void element.offsetWidth;
  element.classList.add("changed");
}

function shorten(text) {
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)} \u2026` : text;
}

/** Returns where `topic` is, or belongs, in a sorted list. */
function place(order, topic) {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order[middle] < topic) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
