// The Node package `ws`, plain: echo, or fan-out from /pub to /sub.
import { createRequire } from 'node:module';

const require = createRequire(process.env.BOWLINE_NODE_MODULES + '/');
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
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
