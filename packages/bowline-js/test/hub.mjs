// What the package does with a real hub. Runs in Node and, as it needs nothing around it, in a page.

/** Talks with the simulated node at `url`; throws at the first surprise. */
export async function talkWithNode({ BowlineSocket, ClownTalk }, url, options) {
  const equal = (actual, expected) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
    }
  };
  const talk = ClownTalk.connect(url, options);
  const states = [];
  talk.link.addEventListener("statechange", () => states.push(talk.link.state));

  // From here on the node is there.
  const [number, unit] = await new Promise((resolve) => {
    talk.subscribe("thermometer/+", ({ temperature }) => resolve(temperature));
  });
  equal([typeof number, unit], ["number", "\u2103"]);
  const accept = ({ state }) => state === true;
  await talk.request("relay/i2c0-3b/set", { state: true }, { accept });
  equal(await talk.request("relay/i2c0-3b/get"), { state: true });
  const devices = await talk.request("-/-/config/list");
  equal(devices.actuators, ["relay/i2c0-3b"]);
  const config = await talk.request("thermometer/i2c0-48/config/update", { "publish-interval": 0.2 });
  equal(config, { "publish-interval": 0.2 });
  equal(talk.device.device, "bridge");

  await new Promise((resolve) => {
    talk.link.onclose = resolve;
    talk.close();
  });
  equal(states, ["open", "closed"]);

  let failure;
  await talk.request("relay/i2c0-3b/get").catch((error) => (failure = error.fate));
  equal(failure, "refused");
}

/** Sends every kind of data to the echo server at `url` and compares what comes back. */
export async function echo({ BowlineSocket }, url, options) {
  const link = BowlineSocket.connect(url, options);
  const bytes = new Uint8Array([0, 1, 254, 255]);
  const big = "\u{e4}\u{2103}".repeat(100_000);
  for (const data of ["", big, bytes.buffer, bytes.subarray(1), new Blob([bytes])]) {
    const answer = new Promise((resolve, reject) => {
      link.onmessage = resolve;
      link.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    });
    const delivery = link.send(data);
    if (await delivery.settled !== "sent") {
      throw new Error(delivery.fate);
    }
    const back = (await answer).data;
    const content = async (value) => typeof value === "string"
      ? value
      : String(new Uint8Array(await new Blob([value]).arrayBuffer()));
    if (await content(back) !== await content(data)) {
      throw new Error("something else came back");
    }
  }
  link.onclose = null;
  link.close(4000, "done");
}

/** Fills the cart of the example at `url`, and looks at it again after a reconnect. */
export async function shop({ ProposalError, SessionDocument }, url, options) {
  const equal = (actual, expected) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
    }
  };
  const heard = (type, accept = () => true) => new Promise((resolve) => {
    cart.addEventListener(type, (event) => accept(event) && resolve(event));
  });
  const cart = SessionDocument.connect(url, options);
  await heard("change");
  equal([cart.document.items, cart.document.total_cents], [[], 0]);
  // The server changes it on its own, again and again, so a proposal may come too late.
  await heard("change", ({ patch }) => patch?.some(({ path }) => path === "/open_minutes"));
  const propose = async (patch) => {
    for (;;) {
      try {
        return await cart.propose(patch);
      } catch (error) {
        if (!(error instanceof ProposalError) || !/^the patch is for version/.test(error.message)) {
          throw error;
        }
      }
    }
  };
  await propose([{ op: "add", path: "/items/-", value: { name: "tea", count: 2 } }]);
  equal([cart.document.items, cart.document.total_cents], [[{ name: "tea", count: 2 }], 500]);

  const refused = async (patch) => propose(patch).then(
    () => "accepted",
    ({ fate, message }) => `${fate}: ${message}`,
  );
  const moon = { name: "moon", count: 1 };
  equal(await refused([{ op: "add", path: "/items/0", value: moon }]), "refused: there is no moon here");
  equal(
    await refused([{ op: "remove", path: "/open_minutes" }]),
    "refused: `/open_minutes` is read-only",
  );
  equal(cart.document.items.length, 1);

  cart.link.reconnect();
  await heard("change", ({ patch }) => patch === null);
  await propose([{ op: "test", path: "/total_cents", value: cart.document.total_cents }]);
  cart.close();
  equal(await refused([]), "unsent: the link is not open");
}
