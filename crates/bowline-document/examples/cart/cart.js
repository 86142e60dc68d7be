// Shows the cart, and asks the server for changes.

import { SessionDocument } from "/json-patch.js";

const cart = SessionDocument.connect(`ws://${location.host}/cart`);
const find = (id) => document.getElementById(id);

function show() {
  const { items, total_cents } = cart.document;
  find("items").replaceChildren(...items.map(({ name, count }) => {
    const line = document.createElement("li");
    line.textContent = `${count} ${name}`;
    return line;
  }));
  find("total").textContent = String(total_cents);
}

/** A patch that adds one of an item, and fails if the cart is another one by then. */
function oneMore(name) {
  const at = cart.document.items.findIndex((item) => item.name === name);
  if (at === -1) {
    return [{ op: "add", path: "/items/-", value: { name, count: 1 } }];
  }
  const { count } = cart.document.items[at];
  return [
    { op: "test", path: `/items/${at}/name`, value: name },
    { op: "replace", path: `/items/${at}/count`, value: count + 1 },
  ];
}

cart.addEventListener("change", show);
cart.addEventListener("replaced", () => (find("status").textContent = "shown elsewhere"));
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", async () => {
    try {
      await cart.propose(oneMore(button.dataset.item));
      find("status").textContent = "";
    } catch (error) {
      find("status").textContent = error.message;
    }
  });
}
