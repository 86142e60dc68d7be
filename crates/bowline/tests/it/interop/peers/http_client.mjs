// Sends bodies to the URL on the command line, on one connection while the server keeps it.

import assert from 'node:assert';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import process from 'node:process';

const [url] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function post(body, headers = {}) {
  const asked = request(url, { agent, method: 'POST', headers });
  asked.on('error', () => {});
  asked.end(body);
  const [answer] = await once(asked, 'response');
  const text = Buffer.concat(await answer.toArray()).toString();
  return { status: answer.statusCode, text, reused: asked.reusedSocket };
}

const first = await post('abc', { 'Content-Length': 3 });
assert.deepEqual([first.status, first.reused], [200, false]);
assert.match(first.text, / 3 bytes$/);
const chunked = await post(Buffer.alloc(1 << 16), { 'Transfer-Encoding': 'chunked' });
assert.deepEqual([chunked.status, chunked.reused], [200, true]);
assert.match(chunked.text, / 65536 bytes$/);
const tooLong = await post(Buffer.alloc((1 << 16) + 1), { 'Transfer-Encoding': 'chunked' });
assert.deepEqual([tooLong.status, tooLong.reused], [413, true]);
const fresh = await post('');
assert.deepEqual([fresh.status, fresh.reused], [200, false]);
agent.destroy();
console.log('agreed');
