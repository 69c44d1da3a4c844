// What counts as an exposure where more than one decides: the page at once, the edge with its answer, a server that rendered the page
// before. Each decision that was shown is recorded once per page view, and what nobody's eyes met is not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { SelvedgeProvider, Slot } from '../../www/sdk/lib/react.js';
import { decide } from '../../www/sdk/lib/server.js';
import { beside, page as html } from './support/site.mjs';
import { launch, log, pass, ready, repository, serve, until, visit } from './support/world.mjs';

const requireFromWww = createRequire(`${repository}www/package.json`);
const { createElement } = requireFromWww('react');
const { renderToString } = requireFromWww('react-dom/server');
const { build } = requireFromWww('esbuild');
/** A little more than it takes to count as seen. */
const SEEN_MS = 1_600;
const CONSENT = { analytics: true, personalization: true };

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

let marks = 0;
/** The rules whose exposures came after the log's `from`th line, once all that the page has is there. */
async function exposures(page, from) {
  await pass(page, SEEN_MS);
  marks += 1;
  const mark = `mark ${marks}`;
  await page.evaluate((query) => {
    selvedge.track('search', { query, results: 1 });
    selvedge.flush();
  }, mark);
  return until('the mark in the log', async () => {
    const lines = (await log(site)).slice(from);
    return lines.some(({ properties }) => properties.query === mark) && lines.filter(({ type }) => type === 'exposure').map(({ properties }) => properties.rule);
  });
}

const stands = (page, slot, text) => page.waitForFunction(
  ([slot, text]) => document.querySelector(`[data-selvedge-slot="${slot}"]`).textContent.includes(text),
  [slot, text],
);
const answered = (page) => page.evaluate(() => new Promise((resolve) => selvedge.on('accepted', resolve)));

/** A page of the script tag with a slot; the edge takes the visitor for one of `country`. */
async function open(slot, { query = '', country = 'DE' } = {}) {
  const app = await beside(site.url, { '/': { body: html(`<h1 data-selvedge-slot="${slot}">The page's own</h1>`) } });
  const { context, page } = await visit(browser, { extraHTTPHeaders: { 'cf-ipcountry': country } });
  const from = (await log(site)).length;
  return { page, from, go: () => page.goto(`${app.url}/${query}`).then(() => ready(page)), close: () => context.close().then(app.close) };
}

/** Holds what the page sends until it is let go. */
async function hold(page) {
  let letGo;
  const held = new Promise((resolve) => {
    letGo = resolve;
  });
  await page.route('**/v1/collect', (route) => held.then(() => route.continue()));
  return letGo;
}

test('the page decides and shows, the edge says the same: one exposure a page view', async () => {
  const { page, from, go, close } = await open('hero');
  await go();
  const letGo = await hold(page);
  await page.evaluate((consent) => {
    selvedge.consent(consent);
    selvedge.identify('u-17', { loyalty_tier: 'gold' });
  }, CONSENT);
  await stands(page, 'hero', 'Gold');
  await pass(page, SEEN_MS);
  letGo();
  await answered(page);
  for (const query of ['boots', 'socks']) {
    await page.evaluate((query) => {
      selvedge.track('search', { query, results: 2 });
      selvedge.flush();
    }, query);
    await answered(page);
  }
  assert.deepEqual(await exposures(page, from), ['gold-hero']);
  await page.evaluate(() => selvedge.page());
  assert.deepEqual(await exposures(page, from), ['gold-hero', 'gold-hero'], 'the next page view has its own');
  await close();
});

test('the edge says something else after a while: each was seen, each counts once', async () => {
  const { page, from, go, close } = await open('banner', { query: '?utm_medium=social', country: 'AT' });
  await go();
  const letGo = await hold(page);
  await page.evaluate((consent) => selvedge.consent(consent), CONSENT);
  await until('what the page decides', () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'social-banner')));
  await pass(page, SEEN_MS);
  letGo();
  await until('what the edge decides', () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'alpine-delivery-banner')));
  assert.deepEqual(await exposures(page, from), ['social-banner', 'alpine-delivery-banner']);
  assert.deepEqual(await exposures(page, from), ['social-banner', 'alpine-delivery-banner'], 'and no more while they stand');
  await close();
});

test('the edge says something else at once: what stood there for an instant does not count', async () => {
  const { page, from, go, close } = await open('banner', { query: '?utm_medium=social', country: 'AT' });
  await go();
  await page.evaluate((consent) => selvedge.consent(consent), CONSENT);
  await until('what the edge decides', () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'alpine-delivery-banner')));
  assert.deepEqual(await exposures(page, from), ['alpine-delivery-banner']);
  await close();
});

const tree = (decisions) => createElement(
  SelvedgeProvider,
  { site: 'shop', writeKey: 'wk_shop_browser', decisions },
  createElement(Slot, { name: 'hero', as: 'h1' }, 'The page\'s own'),
);

/** The same tree, hydrated in the page. */
async function hydrating() {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createElement } from 'react'; import { hydrateRoot } from 'react-dom/client';
        import { SelvedgeProvider, Slot } from './sdk/lib/react.js';
        const decisions = JSON.parse(document.querySelector('#decisions').textContent);
        hydrateRoot(document.querySelector('main'), (${tree})(decisions), { onRecoverableError: (error) => console.error(error) });`,
      resolveDir: `${repository}www`,
    },
    bundle: true, write: false, format: 'esm', splitting: true, outdir: '/assets', define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'error',
  });
  const scripts = outputFiles.map(({ path, contents }) => [path, { type: 'text/javascript', body: Buffer.from(contents) }]);
  const modules = ['selvedge', 'later', 'rules'].map((name) => [`/dist/${name}.wasm`, { type: 'application/wasm', body: readFileSync(`${repository}www/sdk/dist/${name}.wasm`) }]);
  return Object.fromEntries([...scripts, ...modules]);
}

let members = 0;
/** Somebody new whom the edge knows as a gold member. */
async function goldMember() {
  members += 1;
  const visitor = `${'00'.repeat(15)}2${members}`;
  const event = { sequence: 1, type: 'identify', time: Date.now(), properties: { user_id: 'u-21', loyalty_tier: 'gold' } };
  assert.equal((await collect(visitor, event)).accepted, 1);
  return visitor;
}

/** What a server sends of a visitor. */
async function collect(visitor, ...events) {
  const consent = { granted: ['analytics', 'personalization'], denied: [], mode: 'opt-in', policy_version: 1, time: Date.now() };
  const batch = { visitor, writer: '77', sent_at: Date.now(), skew_ms: 0, floor: 1, clock: 'received', consent, context: {}, events };
  const answer = await fetch(`${site.url}/v1/collect`, { method: 'POST', body: JSON.stringify(batch), headers: { authorization: `Bearer ${site.bindings.SHOP_SERVER_KEY}` } });
  return answer.json();
}

/** A page as a server renders it for that member; `script` is what takes it over. */
async function rendered(script) {
  const visitor = await goldMember();
  const consent = { choice: CONSENT, policyVersion: 1 };
  const decisions = await decide({ endpoint: site.url, serverKey: site.bindings.SHOP_SERVER_KEY, visitor, consent, slots: ['hero'], timeoutMs: 10_000 });
  const data = `<script type="application/json" id="decisions">${JSON.stringify(decisions).replaceAll('<', '\\u003c')}</script>`;
  const body = `<!doctype html><title>Rendered</title><main>${renderToString(tree(decisions))}</main>${data}${script}`;
  assert.match(body, /<h1[^>]*data-selvedge-content="gold_hero"/, 'what is decided is in the first byte');
  const app = await beside(site.url, { ...(await hydrating()), '/': { body } });
  const { context, page } = await visit(browser);
  const errors = [];
  page.on('pageerror', (error) => errors.push(`${error}`));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const from = (await log(site)).length;
  await page.goto(`${app.url}/`);
  return { page, from, errors, visitor, close: () => context.close().then(app.close) };
}

const TAKES_OVER = '<script type="module" src="/assets/stdin.js"></script>';

test('a server rendered it, the page decides the same and the edge too: one exposure, and it stood there all along', async () => {
  const { page, from, errors, close } = await rendered(TAKES_OVER);
  await ready(page);
  await page.evaluate(() => {
    window.texts = [];
    new MutationObserver(() => texts.push(document.querySelector('h1').textContent)).observe(document.querySelector('main'), { childList: true, characterData: true, subtree: true });
  });
  await pass(page, SEEN_MS);
  await page.evaluate((consent) => {
    selvedge.consent(consent);
    selvedge.identify('u-21', { loyalty_tier: 'gold' });
  }, CONSENT);
  await answered(page);
  assert.deepEqual(await exposures(page, from), ['gold-hero']);
  assert.deepEqual(await exposures(page, from), ['gold-hero']);
  assert.deepEqual([await page.evaluate(() => texts), errors], [[], []], 'no flicker, no hydration error');
  await close();
});

test('a server rendered it and the page decides otherwise: what the server alone decided does not count', async () => {
  const { page, from, close } = await rendered(TAKES_OVER);
  await ready(page);
  const letGo = await hold(page);
  await page.evaluate((consent) => selvedge.consent(consent), CONSENT);
  await pass(page, SEEN_MS);
  assert.match(await page.textContent('h1'), /Gold/, 'until the edge has answered, what the server decided stands');
  letGo();
  await page.waitForFunction(() => !document.querySelector('h1').textContent.includes('Gold'));
  assert.deepEqual(await exposures(page, from), []);
  await close();
});

test('a server rendered it and no script came: nothing counts, until the server itself says that it was seen', async () => {
  const { page, from, visitor, close } = await rendered('');
  await pass(page, SEEN_MS);
  assert.deepEqual((await log(site)).slice(from), []);
  const seen = { sequence: 2, type: 'exposure', time: Date.now(), properties: { slot: 'hero', rule: 'gold-hero', content: 'gold_hero' } };
  assert.deepEqual([(await collect(visitor, seen)).accepted, (await collect(visitor, seen)).duplicates], [1, 1]);
  assert.deepEqual((await log(site)).slice(from).map(({ type, properties }) => [type, properties.rule]), [['exposure', 'gold-hero']]);
  await close();
});
