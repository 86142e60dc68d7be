// The npm package ws as the peer, in either role.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

import { answerCommands, requirePinned } from './commands.mjs';

const WebSocket = requirePinned('ws');

let server;
let arrivals;
let socket;
let messages;
let closed;

function adopt(opened) {
  socket = opened;
  messages = queue();
  socket.on('message', (data, isBinary) => messages.put({ data, isBinary }));
  closed = new Promise((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  // What goes wrong ends in 'close' too.
  socket.on('error', () => {});
}

function queue() {
  const items = [];
  const takers = [];
  return {
    put: (item) => (takers.length ? takers.shift()(item) : items.push(item)),
    take: () => (items.length ? items.shift() : new Promise((taker) => takers.push(taker))),
  };
}

function payloadOf({ unit, count }) {
  return Buffer.concat(Array(count).fill(Buffer.from(unit, 'hex')));
}

const deflateOption = (deflate) => (deflate === 'default' ? true : (deflate ?? false));

await answerCommands({
  async connect({ url, ca, deflate, subprotocols = [], headers = {}, size_max = 0 }) {
    const client = new WebSocket(url, subprotocols, {
      ca: readFileSync(ca),
      perMessageDeflate: deflateOption(deflate),
      headers,
      maxPayload: size_max,
    });
    let responseHeaders;
    client.on('upgrade', (response) => (responseHeaders = response.headers));
    adopt(client);
    const refusal = new Promise((resolve) =>
      client.on('unexpected-response', async (request, response) => {
        const body = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode, body });
      }));
    const opening = once(client, 'open').then(() => ({
      subprotocol: client.protocol,
      extensions: responseHeaders['sec-websocket-extensions'] ?? '',
      response_header: responseHeaders['x-interop'],
    }));
    return Promise.race([opening, refusal]);
  },

  async listen({ tls, deflate, subprotocol, headers = {}, refusal, size_max = 0 }) {
    server?.close();
    server = tls
      ? createTlsServer({ cert: readFileSync(tls.chain), key: readFileSync(tls.key) })
      : createPlainServer();
    arrivals = queue();
    const webSocketServer = new WebSocket.Server({
      server,
      perMessageDeflate: deflateOption(deflate),
      maxPayload: size_max,
      handleProtocols: () => subprotocol ?? false,
      verifyClient: (_, answer) => answer(!refusal, refusal?.status, refusal?.body),
    });
    webSocketServer.on('headers', (lines) => {
      for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    });
    webSocketServer.on('connection', (arrival, request) => {
      adopt(arrival);
      arrivals.put({
        subprotocol: arrival.protocol,
        request_header: request.headers['x-interop'],
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: server.address().port };
  },

  accept: () => arrivals.take(),

  async receive(command) {
    const { data, isBinary, code } = await Promise.race([messages.take(), closed]);
    if (code) return closed;
    return {
      kind: isBinary ? 'binary' : 'text',
      len: data.length,
      equal: data.equals(payloadOf(command)),
    };
  },

  async send({ kind, cuts = [], ...payload }) {
    const data = payloadOf(payload);
    const bounds = [0, ...cuts, data.length];
    for (let index = 1; index < bounds.length; index += 1) {
      const fin = index === bounds.length - 1;
      const fragment = data.subarray(bounds[index - 1], bounds[index]);
      await new Promise((sent) =>
        socket.send(fragment, { binary: kind === 'binary', fin }, sent));
      if (!fin && index === 1) socket.ping('between');
    }
    return {};
  },

  async ping({ payload }) {
    socket.ping(Buffer.from(payload, 'hex'));
    const [returned] = await once(socket, 'pong');
    return { payload: returned.toString('hex') };
  },

  raw({ bytes_hex }) {
    socket._socket.write(Buffer.from(bytes_hex, 'hex'));
    return closed;
  },

  close({ code, reason }) {
    if (code === null) socket.close();
    else socket.close(code, reason);
    return closed;
  },

  closed: () => closed,
});
