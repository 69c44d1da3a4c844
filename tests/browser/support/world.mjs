// A real worker and a real Chromium for the browser tests. What goes in: nothing. What comes out: a served site, pages
// that belong to fresh visitors, and readers of what left the page, what it stored, and what the log holds.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

/** The folder of the repository, with a slash at its end. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url));
const { chromium } = createRequire(`${repository}www/package.json`)('playwright-core');
const artefacts = `${repository}artefacts/browser`;

/** What a Chromium in a container needs, and what keeps it quiet. */
export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--no-first-run', '--disable-quic',
];

/** Starts the worker with the shop published; gives its address and its admin token. `env`: what serve.rs reads. */
export async function serve(env = {}) {
  const binary = process.env.SELVEDGE_SERVE ?? `${repository}target/debug/serve`;
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo xtask test --only browser\``);
  const child = spawn(binary, { cwd: repository, stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: first, done } = await lines.next();
  if (done) throw new Error('the worker ended before it was ready');
  const { url, admin_token: token, bindings } = JSON.parse(first);
  const command = async (word) => {
    child.stdin.write(`${word}\n`);
    const { value } = await lines.next();
    return JSON.parse(value);
  };
  return {
    url,
    token,
    bindings,
    /** Ends the worker as a power cut would. */
    kill: () => command('kill'),
    /** Starts it again on the same data and the same port. */
    start: () => command('start'),
    /** Publishes the site's files as they are now; says what was wrong where it was refused. */
    publish: () => command('publish'),
    close: () => new Promise((resolve) => {
      child.once('exit', resolve);
      child.stdin.end();
    }),
  };
}

export const launch = (options = {}) => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS,
  ...options,
});

/** A fresh visitor: a browser context of its own whose requests are recorded from the first byte. */
export async function visit(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const requests = [];
  const sent = [];
  context.on('request', (request) => {
    const seen = { method: request.method(), url: request.url(), cookie: null };
    requests.push(seen);
    // Only the headers that really left have cookies in them, and those are known a little later.
    sent.push(request.allHeaders().then(({ cookie = null }) => Object.assign(seen, { cookie }), () => {}));
  });
  /** The headers of all requests so far are known, of those that hang as well as they ever will be. */
  const left = () => Promise.race([Promise.all(sent), new Promise((done) => setTimeout(done, 2_000))]);
  return { context, requests, left, page: await context.newPage() };
}

/** Gives the visitor's browser a cookie of the site's own, which scripts cannot see: what is asked for with cookies shows it. */
export const withCookie = (context, url) => context.addCookies([{ name: 'site_session', value: '1', url, httpOnly: true }]);

/**
 * Whether a page may ask for this before the visitor has answered: GETs, none of them of the visitor, and what our code fetches
 * goes without cookies. (A script has those that the browser sends with any script of the site.)
 */
export function isAllowed({ method, url, cookie }) {
  const { pathname } = new URL(url);
  const isFetched = /^\/s\/|\.wasm$/.test(pathname);
  return method === 'GET' && !pathname.startsWith('/v1/') && !(isFetched && cookie);
}

/** Everything the page could have stored on the device. */
export const stored = (page) => page.evaluate(async () => ({
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  cookies: document.cookie,
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
}));

/** The log from its beginning (or from a cursor), as objects. */
export async function log({ url, token }, from = '') {
  const answer = await fetch(`${url}/v1/log?from=${from}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`GET /v1/log: ${answer.status} ${await answer.text()}`);
  return (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** A machine that is busy with other work takes its time; who fails waits so long once. */
const PATIENCE_MS = 30_000;

/** Asks again until the answer is truthy, for at most `ms`; says what it was waiting for when it never is. */
export async function until(what, ask, ms = PATIENCE_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends what waits, also what the page captures by itself meanwhile, until nothing does. */
export const emptied = (page) => until('an empty queue', async () => {
  await page.evaluate(() => selvedge.flush());
  return !(await stored(page)).local.some((key) => /\.q\./.test(key));
});

/** Waits until the chunk of what is captured beyond clicks is there and watches. Asked for before it can come, awaited once it may. */
export const watching = (page) => {
  const response = page.waitForResponse(/(extras|vitals)\.js/);
  // The same module: whoever asked for it first, the client, has it first.
  return response.then((found) => page.evaluate((url) => import(url).then(() => {}), found.url()));
};

/** Lets the page's own clock run so long: a machine that is busy slows all of the page alike. */
export const pass = (page, ms) => page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), ms);

/** Keeps a picture of the page beside the test results. */
export async function picture(page, name) {
  mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: `${artefacts}/${name}.png` });
}

/** Waits until the client has taken over from the stub. */
export const ready = (page) => page.waitForFunction(() => Array.isArray(globalThis.selvedge?.decisions?.()));
