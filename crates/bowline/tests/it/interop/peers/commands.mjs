// Reads commands from stdin, one JSON object a line, and answers each with one line on stdout.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const requirePinned = createRequire(join(process.env.BOWLINE_NODE_MODULES, 'here.js'));

export async function answerCommands(peer) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...command } = JSON.parse(line);
    process.stdout.write(JSON.stringify(await peer[name](command)) + '\n');
  }
  process.exit();
}
