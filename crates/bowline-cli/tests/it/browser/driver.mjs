// A page in headless Chromium. Reads commands from stdin, one JSON object a line, and answers each
// with one line on stdout. Every wait is for something in the page, and has a deadline.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const DEADLINE = 30_000;

const require = createRequire(join(process.env.BOWLINE_NODE_MODULES, 'here.js'));
const browser = await require('playwright-core').chromium.launch({
  executablePath: process.env.BOWLINE_CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const page = await browser.newPage();
page.setDefaultTimeout(DEADLINE);

/** Whatever the page complains of, and every host it talks to. */
const complaints = [];
const hosts = new Set();
const note = (url) => hosts.add(new URL(url).host);
page.on('console', (message) => {
  if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
});
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('request', (request) => note(request.url()));
page.on('websocket', (socket) => note(socket.url()));

const commands = {
  open: ({ url }) => page.goto(url),
  click: ({ selector }) => page.click(selector),
  fill: ({ selector, text }) => page.fill(selector, text),
  run: ({ script, argument }) => page.evaluate(script, argument),
  report: () => ({ complaints, hosts: [...hosts] }),
  screenshot: ({ file }) => page.screenshot({ path: file, timeout: DEADLINE }),

  /** Waits until a visible element's text, or attribute, is or no longer is what was named. */
  wait: async ({ selector, attribute, is, isNot }) => {
    await page.waitForSelector(selector);
    const found = await page.waitForFunction(
      ([selector, attribute, is, isNot]) => {
        const element = document.querySelector(selector);
        const value = attribute ? element?.getAttribute(attribute) : element?.textContent.trim();
        const fits = is === null ? Boolean(value) && value !== isNot : value === is;
        return fits && { value };
      },
      [selector, attribute ?? null, is ?? null, isNot ?? null],
    );
    return (await found.jsonValue()).value;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...command } = JSON.parse(line);
  let answer;
  try {
    const value = await commands[name](command);
    answer = ['open', 'screenshot'].includes(name) ? {} : { value };
  } catch (error) {
    answer = { failed: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
