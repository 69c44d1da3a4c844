// Content security policies: the recipes of docs/site.md, word for word, on a real worker; the strictest, and those that forbid
// WebAssembly. A page that is told off by its own policy reports it, and there is no report.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { snippet, STUB } from '../../www/sdk/lib/snippet.js';
import { beside } from './support/site.mjs';
import { launch, log, repository, serve, until, visit } from './support/world.mjs';

let site;
let browser;
before(async () => {
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** The policies of the docs, by the heading above each. */
const recipes = Object.fromEntries(
  [...(await readFile(`${repository}docs/site.md`, 'utf8')).matchAll(/\*\*(Policy: [^*]+)\.\*\*.*?```http\n(.+?)\n```/gs)].map(([, name, text]) => [
    name,
    text.replace(/^content-security-policy:\s*/i, '').replace(/\s+/g, ' '),
  ]),
);
const integrity = JSON.parse(await readFile(new URL('../../www/sdk/dist/integrity.json', import.meta.url), 'utf8'));
const NONCE = 'r4nd0m';

/** A page under a policy with the tag of `snippet`; what it reported, and what ran in it. */
async function under(policy, tag, headers = {}) {
  const calls = `selvedge.consent({ analytics: true, personalization: true }); selvedge.identify('u-17', { loyalty_tier: 'gold' });`;
  const html = `<!doctype html><title>Policy</title>${tag}<h1 data-selvedge-slot="hero">The page's own</h1><script nonce="${NONCE}">${calls}</script>`;
  const csp = policy ? { 'content-security-policy': policy.replaceAll('{NONCE}', NONCE).replaceAll('{STUB}', integrity.stub) } : {};
  const app = await beside(site.url, { '/': { body: html, headers: { ...csp, ...headers } } });
  const { context, page } = await visit(browser);
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => reports.push(`${violatedDirective} ${blockedURI}`));
  });
  await page.goto(app.url);
  return { page, close: () => context.close().then(app.close) };
}

const tag = (more = {}) => snippet({ site: 'shop', writeKey: 'wk_shop_browser', nonce: NONCE, ...more });
const gold = (page) => page.waitForFunction(() => /Gold/.test(document.querySelector('h1').textContent));
const usesWasm = (page) => page.evaluate(() => Object.keys(localStorage).some((key) => key.endsWith('.visitor')));

async function arrives(page) {
  await page.evaluate(() => selvedge.flush());
  const before = (await log(site)).length;
  await page.evaluate(() => selvedge.track('search', { query: 'boots', results: 3 }));
  await page.evaluate(() => selvedge.flush());
  await until('the event in the log', async () => (await log(site)).length > before);
}

test('the docs have the recipes that are tried here', () => {
  assert.deepEqual(Object.keys(recipes), ['Policy: by address', 'Policy: strict', 'Policy: no WebAssembly']);
});

test('by address: the site names the edge', async () => {
  const { page, close } = await under(recipes['Policy: by address'], tag());
  await gold(page);
  await arrives(page);
  assert.deepEqual([await page.evaluate(() => reports), await usesWasm(page)], [[], true]);
  await close();
});

test('strict: nonce, strict-dynamic and trusted types', async () => {
  const { page, close } = await under(recipes['Policy: strict'], tag());
  await gold(page);
  await arrives(page);
  assert.deepEqual([await page.evaluate(() => reports), await usesWasm(page)], [[], true]);
  await close();
});

test('without WebAssembly the hands deliver and show what the edge decides, and no report tells of it', async () => {
  const { page, close } = await under(recipes['Policy: no WebAssembly'], tag({ wasm: false }));
  await gold(page);
  await arrives(page);
  const visitor = (await log(site)).findLast((line) => line.type === 'identify').visitor;
  await until('the exposure', async () => {
    const lines = (await log(site)).filter((line) => line.visitor === visitor && line.type === 'exposure');
    return lines.some((line) => line.properties.rule === 'gold-hero');
  });
  assert.deepEqual([await page.evaluate(() => reports), await usesWasm(page)], [[], false]);
  await close();
});

test('where the page does not say so, the browser does, once', async () => {
  const { page, close } = await under(recipes['Policy: no WebAssembly'], tag());
  await gold(page);
  assert.deepEqual([await page.evaluate(() => reports), await usesWasm(page)], [['script-src wasm-eval'], false]);
  await close();
});

test('a page whose policy lets nothing of it in stays as it was', async () => {
  const { page, close } = await under(`script-src 'nonce-other'; connect-src 'none'`, tag());
  await page.waitForTimeout(500);
  assert.equal(await page.textContent('h1'), "The page's own");
  await close();
});

test('integrity: the files that were hashed run, and no others do', async () => {
  const { page, close } = await under('', tag({ integrity }));
  await gold(page);
  await close();
  for (const file of ['loader.js', 'selvedge.js']) {
    const { page, close } = await under('', tag({ integrity: { ...integrity, [file]: integrity.stub } }));
    await page.waitForTimeout(1_000);
    assert.equal(await page.textContent('h1'), "The page's own", file);
    await close();
  }
});

test('the stub keeps calls in order for the loader, and is what the hash says', async () => {
  const page = {};
  page.window = page;
  new Function('window', STUB)(page);
  page.selvedge.track('one');
  page.selvedge.consent({ analytics: true });
  assert.deepEqual(page.selvedge.q.map(([method, parameters]) => [method, ...parameters]), [['track', 'one'], ['consent', { analytics: true }]]);
  const text = snippet({ site: 'a"b<', writeKey: 'k', nonce: 'n' });
  assert.match(text, /data-site="a&#34;b&#60;"/);
  assert.ok(text.includes(`<script nonce="n">${STUB}</script>`));
});

test('a client that cannot read the program in force shows what the edge decides', async () => {
  assert.equal((await (await fetch(`${site.url}/s/shop/config?reads=0`)).json()).program, null);
  assert.match((await (await fetch(`${site.url}/s/shop/config?reads=1`)).json()).program, /^[0-9a-f]{32}$/);
  assert.match((await (await fetch(`${site.url}/s/shop/config`)).json()).program, /^[0-9a-f]{32}$/, 'who says nothing reads the first');
  const { context, page } = await visit(browser);
  const engines = [];
  page.on('request', (request) => /rules\.wasm/.test(request.url()) && engines.push(request.url()));
  await page.route('**/config?reads=1', (route) => route.continue({ url: route.request().url().replace('reads=1', 'reads=0') }));
  // An answer names the program all the same; it is in a form of the future.
  await page.route('**/program/*', async (route) => {
    const response = await route.fetch();
    const bytes = await response.body();
    bytes[3] = 2;
    await route.fulfill({ response, body: bytes });
  });
  await page.goto(site.url);
  await page.click('[data-consent="all"]');
  await page.evaluate(() => selvedge.identify('u-18', { loyalty_tier: 'gold' }));
  await page.waitForFunction(() => /Gold/.test(document.querySelector('[data-selvedge-slot="hero"]').textContent));
  await arrives(page);
  assert.deepEqual([await usesWasm(page), engines], [true, []]);
  await context.close();
});
