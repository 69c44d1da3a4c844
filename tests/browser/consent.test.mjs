// Before an answer nothing is stored or sent; a refusal destroys; a withdrawal erases and tells the edge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isAllowed, launch, log, picture, ready, serve, stored, until, visit, withCookie } from './support/world.mjs';

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
const ours = async (page) => (await stored(page)).local.filter((key) => key.startsWith('selvedge'));
/** What a visitor's pages told the edge. */
const posts = (requests) => requests.filter(({ method }) => method !== 'GET');
const search = (page, query) => page.evaluate((query) => {
  selvedge.track('search', { query });
  selvedge.flush();
}, query);
const logged = async (beginning) => (await log(site)).filter(({ properties }) => properties.query?.startsWith(beginning));

/** A visitor from where silence counts as a grant, whose first page view has arrived. */
async function fromOptOut(query) {
  const visitor = await visit(browser, { extraHTTPHeaders: { 'cf-ipcountry': 'US' } });
  await visitor.page.goto(`${site.url}/c/shoes`);
  await ready(visitor.page);
  await search(visitor.page, `${query} by silence`);
  await until('the event of silence', async () => (await logged(`${query} by silence`)).length);
  return visitor;
}

/** The step's snapshot after a refusal: on the device nothing but the refusal, where `isKept`; and no more requests than `sent`. */
async function assertRefused({ page, requests }, sent, step, isKept = true) {
  await page.waitForTimeout(800);
  assert.deepEqual(await ours(page), isKept ? ['selvedge.shop.consent'] : [], step);
  assert.deepEqual(posts(requests).slice(sent), [], step);
  const { analytics, personalization, advertising } = await page.evaluate(() => selvedge.consent());
  assert.deepEqual([analytics, personalization, advertising], [false, false, false], step);
}

test('before an answer nothing is stored and only cookie-less GETs leave', async () => {
  const { context, page, requests, left } = await visit(browser);
  await withCookie(context, site.url);
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads`);
  await ready(page);
  await page.click('a[href^="/p/"]');
  await page.evaluate(() => selvedge.track('product_view', { category: 'shoes', sku: 'x', value: 1 }));
  await page.waitForTimeout(1_500);
  await picture(page, 'consent-question');
  assert.deepEqual(await stored(page), nothing);
  await left();
  assert.ok(requests.some(({ cookie }) => cookie), 'the browser has a cookie to send');
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

test('a refusal destroys what was held: nothing is ever sent of it, not even after a later grant', async () => {
  const visitor = await visit(browser);
  const { context, page, requests } = visitor;
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  await page.evaluate(() => selvedge.track('search', { query: 'refused' }));
  await press(page, 'necessary');
  await page.evaluate(() => selvedge.track('search', { query: 'refused later' }));
  await page.evaluate(() => selvedge.flush());
  await assertRefused(visitor, 0, 'refused', false);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  await search(page, 'granted at last');
  await until('what was granted', async () => (await logged('granted at last')).length);
  assert.ok(posts(requests).length > 0);
  await context.close();
  assert.deepEqual(await logged('refused'), []);
});

test('where silence counts as a grant, a refusal destroys, erases, tells the edge once, and holds on the next page', async () => {
  const visitor = await fromOptOut('out');
  const { context, page, requests } = visitor;
  assert.ok((await ours(page)).includes('selvedge.shop.visitor'), 'ids are kept under silence');
  await context.setOffline(true);
  await page.evaluate(() => selvedge.track('search', { query: 'out queued' }));
  await until('the queue', async () => (await ours(page)).some((key) => key.includes('.q.')));
  await page.evaluate(() => document.querySelector('[data-consent="necessary"]').click());
  await until('the refusal alone', async () => (await ours(page)).join() === 'selvedge.shop.consent', 2_000);
  const before = posts(requests).length;
  await context.setOffline(false);
  await search(page, 'out refused');
  await until('the notice', () => posts(requests).length > before);
  await page.waitForTimeout(500);
  const told = posts(requests).length;
  await assertRefused(visitor, told, 'refused');
  await page.reload();
  await ready(page);
  await search(page, 'out next page');
  await assertRefused(visitor, told, 'the next page');
  await context.close();
  assert.deepEqual(await logged('out '), [], 'what came by silence is read out to nobody any more');
});

test('a refusal before the region is known to be one of silence is heard all the same', async () => {
  const visitor = await visit(browser, { extraHTTPHeaders: { 'cf-ipcountry': 'US' } });
  const { context, page } = visitor;
  let answer;
  const held = new Promise((release) => (answer = release));
  await context.route('**/config*', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${site.url}/c/shoes`);
  await ready(page);
  await search(page, 'early held');
  await press(page, 'necessary');
  const known = page.waitForResponse(/\/config/);
  answer();
  await known;
  await search(page, 'early refused');
  await assertRefused(visitor, 0, 'the region is known');
  await page.reload();
  await ready(page);
  await assertRefused(visitor, 0, 'the next page');
  await context.close();
  assert.deepEqual(await logged('early'), []);
});

test('where silence counts as a grant, what is denied alone is taken away, also on the next page', async () => {
  const { context, page } = await fromOptOut('partial');
  await page.evaluate(() => selvedge.consent({ personalization: false, advertising: false }));
  await search(page, 'partial denied');
  await page.reload();
  await ready(page);
  await search(page, 'partial next page');
  await until('both', async () => (await logged('partial')).length === 3);
  const purposes = Object.fromEntries((await logged('partial')).map(({ properties, purposes }) => [properties.query, purposes]));
  assert.deepEqual([purposes['partial denied'], purposes['partial next page']], [['analytics'], ['analytics']]);
  assert.ok(purposes['partial by silence'].length > 1);
  await context.close();
});

for (const [country, isKept] of [['US', true], ['DE', false]]) {
  test(`another tab's withdrawal empties this one and grants nothing that was denied here (that tab: ${country})`, async () => {
    const query = `tabs ${country}`;
    const visitor = await fromOptOut(query);
    const { context, page, requests } = visitor;
    await page.evaluate(() => selvedge.consent({ personalization: false, advertising: false }));
    // In the region of the other tab only what was granted counts, so that it keeps no refusal either.
    await context.setExtraHTTPHeaders({ 'cf-ipcountry': country });
    const other = await context.newPage();
    await other.goto(`${site.url}/c/shoes`);
    await ready(other);
    await other.evaluate(() => selvedge.consent({ analytics: true }));
    await search(other, `${query} other`);
    await until('the other tab', async () => (await logged(`${query} other`)).length);
    const before = posts(requests).length;
    await other.evaluate(() => selvedge.consent({ analytics: false }));
    await until('an empty device', async () => (await ours(page)).join() === (isKept ? 'selvedge.shop.consent' : ''), 2_000);
    await until('the notice', () => posts(requests).length > before);
    await page.waitForTimeout(500);
    const told = posts(requests).length;
    await search(page, `${query} withdrawn`);
    await page.evaluate(() => history.pushState({}, '', '/c/jackets'));
    await search(page, `${query} withdrawn, a route later`);
    await assertRefused(visitor, told, 'withdrawn', isKept);
    await context.close();
    assert.equal((await logged(`${query} withdrawn`)).length, 0);
  });
}

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

for (const [where, inPage, onWire] of [['the page and the edge', true, true], ['the page alone', true, false], ['the edge alone', false, true]]) {
  test(`Global Privacy Control removes advertising whatever was pressed, also where ${where} can see it`, async () => {
    const { context, page } = await visit(browser, { extraHTTPHeaders: onWire ? { 'sec-gpc': '1' } : {} });
    if (inPage) await page.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }));
    await page.goto(`${site.url}/c/shoes`);
    await ready(page);
    await press(page, 'all');
    assert.equal(await page.evaluate(() => selvedge.consent().advertising), !inPage);
    const query = `gpc: ${where}`;
    await search(page, query);
    const found = await until('the event', async () => (await log(site)).find(({ properties }) => properties.query === query));
    assert.ok(!found.purposes.includes('advertising'));
    assert.equal(found.consent.gpc, true);
    await context.close();
  });
}
