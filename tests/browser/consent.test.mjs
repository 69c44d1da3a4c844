// Before an answer nothing is stored or sent; a refusal destroys; a withdrawal erases and tells the edge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, log, picture, ready, serve, stored, until, visit } from './support/world.mjs';

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

const nothing = { local: [], session: [], cookies: '', databases: [], caches: [] };
const press = (page, consent) => page.click(`[data-consent="${consent}"]`);

/** What a site may ask for before the visitor has answered. */
const isAllowed = ({ method, url, cookie }) => method === 'GET' && cookie === null
  && !new URL(url).pathname.startsWith('/v1/');

test('before an answer nothing is stored and only cookie-less GETs leave', async () => {
  const { context, page, requests } = await visit(browser);
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads`);
  await ready(page);
  await page.click('a[href^="/p/"]');
  await page.evaluate(() => selvedge.track('product_view', { category: 'shoes', sku: 'x', value: 1 }));
  await page.waitForTimeout(1_500);
  await picture(page, 'consent-question');
  assert.deepEqual(await stored(page), nothing);
  assert.deepEqual(requests.filter((request) => !isAllowed(request)), []);
  const before = (await log(site)).length;
  await context.close();
  assert.equal((await log(site)).length, before, 'closing the page sent something');
});

test('events of before the answer arrive after it, with their true times', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  const happened = await page.evaluate(() => {
    selvedge.track('search', { query: 'before the answer' });
    return Date.now();
  });
  await page.waitForTimeout(1_200);
  await press(page, 'all');
  const found = await until('the held event', async () => (await log(site))
    .find(({ name, properties }) => name === 'search' && properties.query === 'before the answer'));
  assert.ok(Math.abs(found.time_ms - happened) < 200, `${found.time_ms} is not ${happened}`);
  assert.ok(found.received_at_ms - found.time_ms >= 1_000, 'it was held, so it arrived later than it happened');
  await context.close();
});

test('a refusal destroys what was held, and nothing is ever sent', async () => {
  const { context, page, requests } = await visit(browser);
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  await page.evaluate(() => selvedge.track('search', { query: 'refused' }));
  await press(page, 'necessary');
  await page.evaluate(() => selvedge.track('search', { query: 'refused later' }));
  await page.evaluate(() => selvedge.flush());
  await page.waitForTimeout(1_000);
  assert.deepEqual(requests.filter(({ method }) => method !== 'GET'), []);
  const ours = (await stored(page)).local.filter((key) => key.startsWith('selvedge'));
  assert.deepEqual(ours, []);
  await context.close();
  const names = (await log(site)).filter(({ properties }) => properties.query?.startsWith('refused'));
  assert.deepEqual(names, []);
});

test('a withdrawal erases the queue and the ids, and tells the edge', async () => {
  const { context, page, requests } = await visit(browser);
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  await press(page, 'all');
  await page.evaluate(() => selvedge.track('search', { query: 'granted' }));
  await page.evaluate(() => selvedge.flush());
  await until('the event', async () => (await log(site)).some(({ properties }) => properties.query === 'granted'));
  assert.ok((await stored(page)).local.some((key) => key.startsWith('selvedge')), 'ids are kept while granted');
  const sent = requests.filter(({ url }) => url.includes('/v1/collect')).length;
  await page.evaluate(() => selvedge.consent({ analytics: false, personalization: false, advertising: false }));
  await until('the notice', () => requests.filter(({ url }) => url.includes('/v1/collect')).length > sent);
  assert.deepEqual((await stored(page)).local.filter((key) => key.startsWith('selvedge')), []);
  await page.evaluate(() => selvedge.track('search', { query: 'after withdrawal' }));
  await page.evaluate(() => selvedge.flush());
  await page.waitForTimeout(800);
  assert.ok(!(await log(site)).some(({ properties }) => properties.query === 'after withdrawal'));
  await context.close();
});

test('Global Privacy Control removes advertising whatever was pressed', async () => {
  const { context, page } = await visit(browser, { extraHTTPHeaders: { 'sec-gpc': '1' } });
  await page.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }));
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  await press(page, 'all');
  await page.evaluate(() => selvedge.track('search', { query: 'gpc' }));
  await page.evaluate(() => selvedge.flush());
  const found = await until('the event', async () => (await log(site)).find(({ properties }) => properties.query === 'gpc'));
  assert.ok(!found.purposes.includes('advertising'));
  assert.equal(found.consent.gpc, true);
  await context.close();
});
