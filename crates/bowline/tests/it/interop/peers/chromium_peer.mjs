// Chromium as the peer: the commands run in a page. Trusts the one key in BOWLINE_CERTIFICATE.

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { answerCommands, requirePinned } from './commands.mjs';
import { whatwgPeer } from './whatwg.mjs';

const certificate = new X509Certificate(readFileSync(process.env.BOWLINE_CERTIFICATE));
const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
const browser = await requirePinned('playwright-core').chromium.launch({
  executablePath: process.env.BOWLINE_CHROMIUM,
  args: [
    `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const page = await browser.newPage();

const inPage = (name) => (command) =>
  page.evaluate(([name, command]) => globalThis.peer[name](command), [name, command]);

await answerCommands({
  async visit({ url }) {
    const response = await page.goto(url);
    await page.evaluate(`globalThis.peer = (${whatwgPeer})()`);
    return { status: response.status(), title: await page.title() };
  },
  async quit() {
    await browser.close();
    return {};
  },
  connect: inPage('connect'),
  receive: inPage('receive'),
  send: inPage('send'),
  close: inPage('close'),
  closed: inPage('closed'),
});
