// The last value of each topic, bounded.

/** Topics the page remembers; beyond, the one not heard for the longest time is forgotten. */
export const TOPIC_COUNT_MAX = 500;

/** Remembers the last value of each of at most `max` topics. */
export class Values {
  #max;
  /** By topic, the one not heard for the longest time first. */
  #entries = new Map();

  constructor(max = TOPIC_COUNT_MAX) {
    this.#max = max;
  }

  get size() {
    return this.#entries.size;
  }

  get(topic) {
    return this.#entries.get(topic);
  }

  /** Takes in a message and returns the topic forgotten for it, if any. */
  update({ topic, text, payload }, now) {
    this.#entries.delete(topic);
    this.#entries.set(topic, { topic, text, payload, heardAt: now });
    if (this.#entries.size <= this.#max) {
      return undefined;
    }
    const [forgotten] = this.#entries.keys();
    this.#entries.delete(forgotten);
    return forgotten;
  }
}
