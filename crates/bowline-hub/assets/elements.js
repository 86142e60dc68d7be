// What connectors show: links, values with their alarms, buttons and fields to set.

/** Elements on the page, and parameters of one. */
const ELEMENT_COUNT_MAX = 32;
const PARAMETER_COUNT_MAX = 500;

/** More digits than a number has are only zeros. */
const DECIMALS_MAX = 17;

/** The levels of an alarm, which the style sheet colours. */
const ALARMS = new Set(["warning", "minor", "major", "critical"]);

/**
 * Returns what a topic of a connector tells: the element, and the parameter whose value or alarm it
 * is, or what it tells about the element itself; nothing for other topics.
 */
export function placeOf(topic) {
  const [root, element, name, more, ...rest] = topic.split("/");
  if (root !== "connectors" || !element || !name || rest.length > 0) {
    return undefined;
  }
  if (name === "-") {
    return more === undefined ? undefined : { element, about: more };
  }
  if (more === undefined) {
    return { element, parameter: name, is: "value" };
  }
  return more === "alarm" ? { element, parameter: name, is: "alarm" } : undefined;
}

/** Returns how a value is shown: its label, or the value itself, a number with its decimals. */
export function shown(value, labels = [], decimals = undefined) {
  const label = labels.find((it) => it.value === value || String(it.value) === String(value));
  if (label) {
    return label.label;
  }
  if (typeof value === "number" && Number.isInteger(decimals)) {
    return value.toFixed(Math.min(decimals, DECIMALS_MAX));
  }
  return String(value ?? "");
}

/** Joins the descriptions of the two halves of a value, which share a topic. */
export function joined(descriptions) {
  const parameters = new Map();
  for (const one of descriptions.slice(0, PARAMETER_COUNT_MAX)) {
    const other = parameters.get(one.topic);
    const [write, read] = one.settable ? [one, other] : [other, one];
    parameters.set(one.topic, {
      topic: one.topic,
      description: (read ?? write).description || one.topic,
      about: (read ?? write).about,
      units: read?.units || write?.units || "",
      decimals: (read ?? write).decimals ?? undefined,
      labels: read?.labels?.length ? read.labels : write?.labels ?? [],
      choices: write?.labels ?? [],
      kind: write?.kind ?? read.kind,
      settable: write !== undefined,
      readable: read !== undefined,
    });
  }
  return [...parameters.values()];
}

/** One card for each element. */
export class Elements {
  #section;
  #list;
  #order;
  #announce;
  #elements = new Map();

  /**
   * `order(topic, value)` sends the order and returns an empty text or what went wrong;
   * `announce(text)` tells people who cannot see.
   */
  constructor(document, order, announce) {
    this.#section = document.getElementById("elements-section");
    this.#list = document.getElementById("elements");
    this.#order = order;
    this.#announce = announce;
  }

  show({ topic, payload }) {
    const place = placeOf(topic);
    if (!place) {
      return;
    }
    const element = this.#elements.get(place.element) ?? this.#add(place.element);
    if (!element) {
      return;
    }
    if (place.parameter !== undefined) {
      element[place.is === "alarm" ? "alarms" : "values"].set(place.parameter, payload);
      showParameter(element, place.parameter);
    } else if (place.about === "element") {
      this.#describe(element, payload);
    } else if (place.about === "health") {
      showHealth(element, payload);
    } else if (place.about === "error") {
      element.note.textContent = String(payload?.error ?? "");
      this.#announce(`${element.name}: ${element.note.textContent}`);
    }
  }

  remove(topic) {
    const place = placeOf(topic);
    const element = place && this.#elements.get(place.element);
    if (element && place.parameter !== undefined) {
      element[place.is === "alarm" ? "alarms" : "values"].delete(place.parameter);
      showParameter(element, place.parameter);
    }
  }

  #add(name) {
    if (this.#elements.size >= ELEMENT_COUNT_MAX) {
      return undefined;
    }
    const document = this.#list.ownerDocument;
    const card = document.createElement("li");
    card.className = "element";
    card.dataset.element = name;
    const add = (tag, className, parent = card) => {
      const child = document.createElement(tag);
      child.className = className;
      parent.append(child);
      return child;
    };
    const heading = add("h3", "element-name");
    add("span", "", heading).textContent = name;
    const health = add("span", "health", heading);
    const connector = add("span", "quiet", heading);
    const links = add("ul", "element-links quiet");
    const body = add("tbody", "", add("table", "parameters"));
    const note = add("p", "error");
    note.setAttribute("role", "alert");
    this.#list.append(card);
    const element = {
      name, connector, health, links, body, note, rows: new Map(), values: new Map(), alarms: new Map(),
    };
    this.#elements.set(name, element);
    return element;
  }

  #describe(element, about) {
    this.#section.hidden = false;
    element.connector.textContent = about?.connector ?? "";
    element.body.replaceChildren();
    element.rows.clear();
    for (const parameter of joined(about?.parameters ?? [])) {
      element.rows.set(parameter.topic, this.#row(element, parameter));
      showParameter(element, parameter.topic);
    }
  }

  #row(element, parameter) {
    const document = this.#list.ownerDocument;
    const row = element.body.insertRow();
    row.dataset.parameter = parameter.topic;
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = parameter.description;
    name.title = parameter.about ?? "";
    const value = document.createElement("td");
    value.className = "parameter-value";
    const control = document.createElement("td");
    row.append(name, value, control);
    if (parameter.settable) {
      const order = (text) => {
        element.note.textContent = this.#order(
          `connectors/${element.name}/${parameter.topic}/set`, text,
        );
      };
      control.append(controlOf(document, parameter, order));
    }
    return { row, value, parameter };
  }
}

/** Returns what sets a parameter: buttons, or a field with a button. */
function controlOf(document, parameter, order) {
  const { choices } = parameter;
  if (parameter.kind.includes("button")) {
    const buttons = document.createElement("div");
    buttons.className = "buttons";
    for (const { label, value } of choices.length > 0 ? choices : [{ label: parameter.description, value: 1 }]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.textContent = label;
      button.addEventListener("click", () => order(value));
      buttons.append(button);
    }
    return buttons;
  }
  const form = document.createElement("form");
  form.className = "buttons";
  const field = document.createElement(choices.length > 0 ? "select" : "input");
  field.setAttribute("aria-label", parameter.description);
  for (const { label, value } of choices) {
    const option = document.createElement("option");
    option.value = String(value);
    option.textContent = label;
    field.append(option);
  }
  const button = document.createElement("button");
  button.className = "plain";
  button.textContent = "Set";
  form.append(field, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    order(field.value);
  });
  return form;
}

function showParameter(element, name) {
  const found = element.rows.get(name);
  if (!found) {
    return;
  }
  const { row, value, parameter } = found;
  const present = element.values.get(name);
  const text = shown(present, parameter.labels, parameter.decimals);
  const isLabelled = parameter.labels.some((it) => it.label === text);
  value.textContent = text && parameter.units && !isLabelled ? `${text} ${parameter.units}` : text;
  const alarm = element.alarms.get(name);
  if (ALARMS.has(alarm)) {
    row.dataset.alarm = alarm;
    value.title = `${alarm} alarm`;
  } else {
    delete row.dataset.alarm;
    value.title = "";
  }
}

function showHealth(element, payload) {
  const document = element.links.ownerDocument;
  element.health.textContent = payload?.health ?? "";
  element.health.dataset.health = payload?.health ?? "";
  element.links.replaceChildren(...(payload?.links ?? []).map((link) => {
    const item = document.createElement("li");
    item.dataset.link = String(link.id);
    item.dataset.state = link.state;
    const lost = link.state === "open" ? "" : link.loss ?? "";
    item.textContent = [link.name || `connection ${link.id}`, link.state, link.endpoint, lost]
      .filter(Boolean).join(" \u00b7 ");
    return item;
  }));
}
