// The form that sends a message.

import { payloadProblem, topicProblem } from "./talk.js";

/** Checks what a person wrote, sends it, and says what is wrong. */
export class Form {
  #topic;
  #payload;
  #error;
  #send;

  /** `send(topic, text)` returns an empty text or what went wrong. */
  constructor(document, send) {
    this.#topic = document.getElementById("send-topic");
    this.#payload = document.getElementById("send-payload");
    this.#error = document.getElementById("send-error");
    this.#send = send;
    const form = document.getElementById("send");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#payload.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    for (const field of [this.#topic, this.#payload]) {
      field.addEventListener("input", () => this.#tell("", null));
    }
  }

  /** Puts a topic into the form and goes to the payload. */
  choose(topic) {
    this.#topic.value = topic;
    this.#tell("", null);
    this.#payload.focus();
  }

  #submit() {
    const topic = this.#topic.value.trim();
    const text = this.#payload.value;
    const wrongTopic = topicProblem(topic);
    if (wrongTopic) {
      this.#tell(wrongTopic, this.#topic);
      return;
    }
    const wrongPayload = payloadProblem(text);
    if (wrongPayload) {
      this.#tell(wrongPayload, this.#payload);
      return;
    }
    this.#tell(this.#send(topic, text), null);
  }

  #tell(problem, field) {
    this.#error.textContent = problem;
    for (const each of [this.#topic, this.#payload]) {
      each.toggleAttribute("aria-invalid", false);
    }
    if (field) {
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
  }
}
