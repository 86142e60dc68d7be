// Large numbers with units, and how they went lately.

import { measurements } from "./talk.js";

/** Tiles on the page; further measured values are shown in the table only. */
const TILE_COUNT_MAX = 24;

/** Values a tile's line is drawn from. */
const SAMPLE_COUNT_MAX = 60;

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 28;

/** One tile for each measured quantity of each topic. */
export class Tiles {
  #section;
  #list;
  /** By topic and quantity. */
  #tiles = new Map();

  constructor(document) {
    this.#section = document.getElementById("measured");
    this.#list = document.getElementById("tiles");
  }

  show(entry) {
    for (const { quantity, number, unit } of measurements(entry.payload)) {
      const key = keyOf(entry.topic, quantity);
      const tile = this.#tiles.get(key) ?? this.#add(key, entry.topic, quantity);
      if (tile) {
        showNumber(tile, number, unit);
      }
    }
  }

  remove(topic) {
    for (const [key, tile] of this.#tiles) {
      if (tile.topic === topic) {
        tile.element.remove();
        this.#tiles.delete(key);
      }
    }
    this.#section.hidden = this.#tiles.size === 0;
  }

  #add(key, topic, quantity) {
    if (this.#tiles.size >= TILE_COUNT_MAX) {
      return undefined;
    }
    const document = this.#list.ownerDocument;
    const element = document.createElement("li");
    element.className = "tile";
    element.dataset.topic = topic;
    element.dataset.quantity = quantity;
    const add = (tag, className, text = "") => {
      const child = document.createElement(tag);
      child.className = className;
      child.textContent = text;
      element.append(child);
      return child;
    };
    add("span", "quantity", quantity.replaceAll("-", " "));
    const reading = add("span", "reading");
    const number = document.createElement("span");
    number.className = "number";
    const unit = document.createElement("span");
    unit.className = "unit";
    reading.append(number, " ", unit);
    const line = lineOf(document);
    element.append(line.parentNode);
    add("span", "tile-topic", tail(topic)).title = topic;
    this.#list.append(element);
    this.#section.hidden = false;

    const tile = { element, topic, number, unit, line, samples: [], decimals: 0 };
    this.#tiles.set(key, tile);
    return tile;
  }
}

/** Returns the last two levels of a topic, which tell tiles apart best. */
function tail(topic) {
  const levels = topic.split("/");
  return levels.length > 2 ? `\u2026/${levels.slice(-2).join("/")}` : topic;
}

function keyOf(topic, quantity) {
  return JSON.stringify([topic, quantity]);
}

function showNumber(tile, number, unit) {
  // A value of 23 after 23.06 is shown as 23.00, so that the number does not jump.
  const decimals = String(number).split(".")[1]?.length ?? 0;
  tile.decimals = Math.min(3, Math.max(tile.decimals, decimals));
  tile.number.textContent = number.toFixed(tile.decimals);
  tile.unit.textContent = unit;
  tile.samples.push(number);
  if (tile.samples.length > SAMPLE_COUNT_MAX) {
    tile.samples.shift();
  }
  tile.line.setAttribute("points", points(tile.samples));
}

/** Returns an empty line inside its picture. */
function lineOf(document) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "spark");
  picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "polyline");
  picture.append(line);
  return line;
}

/** Returns the points of a line through `samples` that fills the picture. */
export function points(samples) {
  if (samples.length < 2) {
    return "";
  }
  const low = Math.min(...samples);
  const span = Math.max(...samples) - low || 1;
  const step = WIDTH / (samples.length - 1);
  return samples
    .map((sample, index) => {
      const y = HEIGHT - 2 - ((sample - low) / span) * (HEIGHT - 4);
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}
