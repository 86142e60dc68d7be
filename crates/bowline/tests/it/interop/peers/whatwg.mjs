// The WHATWG interface as the peer. The function needs nothing around it, so that it can be
// moved into a page.

export function whatwgPeer() {
  let socket;
  let messages;
  let closed;

  function payloadOf({ unit, count }) {
    const bytes = Uint8Array.from(unit.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    const payload = new Uint8Array(bytes.length * count);
    for (let index = 0; index < count; index += 1) payload.set(bytes, index * bytes.length);
    return payload;
  }

  return {
    async connect({ url, subprotocols = [], headers = {} }) {
      // A browser takes only the list; Node's client takes headers too.
      const isNode = typeof process !== 'undefined';
      socket = new WebSocket(url, isNode ? { protocols: subprotocols, headers } : subprotocols);
      socket.binaryType = 'arraybuffer';
      const items = [];
      const takers = [];
      messages = () =>
        items.length ? items.shift() : new Promise((taker) => takers.push(taker));
      socket.onmessage = ({ data }) =>
        takers.length ? takers.shift()(data) : items.push(data);
      closed = new Promise((resolve) => {
        socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
      });
      return new Promise((resolve) => {
        socket.onopen = () =>
          resolve({ subprotocol: socket.protocol, extensions: socket.extensions });
        // The interface hides why.
        socket.onerror = () => resolve({ failed: true });
      });
    },

    async receive(command) {
      const data = await Promise.race([messages(), closed]);
      if (data.code) return data;
      const isText = typeof data === 'string';
      const payload = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
      const expected = payloadOf(command);
      return {
        kind: isText ? 'text' : 'binary',
        len: payload.length,
        equal:
          payload.length === expected.length &&
          payload.every((byte, index) => byte === expected[index]),
      };
    },

    async send({ kind, ...payload }) {
      const bytes = payloadOf(payload);
      socket.send(kind === 'text' ? new TextDecoder('utf-8').decode(bytes) : bytes);
      return {};
    },

    close({ code, reason }) {
      if (code === null) socket.close();
      else socket.close(code, reason);
      return closed;
    },

    closed: () => closed,
  };
}
