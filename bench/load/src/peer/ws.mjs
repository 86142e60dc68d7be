// The Node package `ws`, plain: echo, or fan-out from /pub to /sub. `ws.mjs deflate` and
// `ws.mjs takeover` agree to permessage-deflate, without and with context takeover.
import { createRequire } from 'node:module';

const require = createRequire(process.env.BOWLINE_NODE_MODULES + '/');
const { WebSocketServer } = require('ws');

const mode = process.argv[2];
const perMessageDeflate = mode !== undefined && {
  serverNoContextTakeover: mode === 'deflate',
  clientNoContextTakeover: mode === 'deflate',
  threshold: 0,
  zlibDeflateOptions: { level: 4 },
};
const options = { host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate };
const server = new WebSocketServer(options, () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
const subscribers = new Set();
server.on('connection', (socket, request) => {
  socket.on('error', () => {});
  if (request.url === '/sub') {
    subscribers.add(socket);
    socket.on('close', () => subscribers.delete(socket));
  } else if (request.url === '/pub') {
    socket.on('message', (data, isBinary) => {
      for (const subscriber of subscribers) subscriber.send(data, { binary: isBinary });
    });
  } else {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  }
});
