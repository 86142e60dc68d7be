// What the page knows about topics and payloads. Pure functions only.

/** Says what is wrong with a topic to publish on; an empty text when nothing is. */
export function topicProblem(topic) {
  if (topic === "") {
    return "Enter a topic, for example relay/i2c0-3b/set.";
  }
  if (/[+#]/.test(topic)) {
    return "A topic to publish on cannot hold + or #. They select topics and name none.";
  }
  if (topic.startsWith("$")) {
    return "Topics that begin with $ are reserved for the hub.";
  }
  if (topic.includes("\0")) {
    return "A topic cannot hold a NUL character.";
  }
  return "";
}

/** Says what is wrong with a JSON text and how to mend it; an empty text when nothing is. */
export function payloadProblem(text) {
  const json = text.trim();
  if (json === "") {
    return "Enter a JSON value. For no value write null.";
  }
  try {
    JSON.parse(json);
    return "";
  } catch (error) {
    return `This is not JSON${placeOf(error, json)}. ${hint(json)}`.trim();
  }
}

/** Says whether a topic is a relay's state: `relay/<address>` at its end, without a verb. */
export function isRelayTopic(topic) {
  return /(?:^|\/)relay\/(?!(?:set|get)$)[^/]+$/.test(topic);
}

/** Returns a relay's state, `true`, `false` or `null`; `undefined` when the payload has none. */
export function relayState(payload) {
  const state = isObject(payload) ? payload.state : undefined;
  return state === null || typeof state === "boolean" ? state : undefined;
}

/** Returns the measured values of a payload: `[{ quantity, number, unit }]`, at most eight. */
export function measurements(payload) {
  if (!isObject(payload)) {
    return [];
  }
  return Object.entries(payload)
    .filter(([, value]) => isMeasured(value))
    .slice(0, 8)
    .map(([quantity, [number, unit]]) => ({ quantity, number, unit }));
}

/**
 * Returns a JSON text for people: escapes such as `\u2103` become the characters they stand for,
 * except where those would not be seen.
 */
export function readable(text) {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|[^])/g, (escape, code) => {
    const character = code && String.fromCharCode(parseInt(code, 16));
    return character && character >= "\u00a0" && VISIBLE.test(character) ? character : escape;
  });
}

function isMeasured(value) {
  return Array.isArray(value) && value.length === 2
    && Number.isFinite(value[0]) && typeof value[1] === "string" && value[1].length <= 16;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Finds the line and column in what the browser's JSON parser says, where it says it. */
function placeOf(error, json) {
  const position = /position (\d+)/.exec(error.message);
  if (position) {
    const before = json.slice(0, Number(position[1])).split("\n");
    return ` (line ${before.length}, column ${before.at(-1).length + 1})`;
  }
  const place = /line (\d+) column (\d+)/.exec(error.message);
  return place ? ` (line ${place[1]}, column ${place[2]})` : "";
}

/** Guesses the usual slip behind a text that is not JSON. */
function hint(json) {
  if (/^[A-Za-z_][\w -]*$/.test(json)) {
    return `Text needs double quotes: "${json}".`;
  }
  if (json.includes("'")) {
    return "Use double quotes, not single ones.";
  }
  if (/,\s*[}\]]/.test(json)) {
    return "There is a comma before a closing bracket.";
  }
  if (/[{,]\s*[A-Za-z_][\w-]*\s*:/.test(json)) {
    return 'Names in an object need double quotes: {"state": true}.';
  }
  if (count(json, "{") !== count(json, "}") || count(json, "[") !== count(json, "]")) {
    return "An opening bracket lacks its closing one, or the other way round.";
  }
  return "";
}

function count(text, character) {
  return text.split(character).length - 1;
}

/** Letters, marks, numbers, punctuation and symbols: no controls, no blanks, no half characters. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
