// What a page fetches besides the client: what decides and shows comes where somebody wants decisions, and not before. And what a
// call of the site has done once its task is over.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { beside, page as html } from './support/site.mjs';
import { launch, log, serve, until, visit } from './support/world.mjs';

const CONSENT = { analytics: true, personalization: true };
const SLOT = '<h1 data-selvedge-slot="hero">The page\'s own</h1>';
const PARTS = ['slots.js', 'rules.js', 'rules.wasm'];

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

/** A page of a gold member whose events have arrived. */
async function member(body) {
  const app = await beside(site.url, { '/': { body: html(body) } });
  const { context, page, requests } = await visit(browser);
  await page.goto(app.url);
  await page.waitForFunction(() => globalThis.selvedge?.consent?.());
  const answered = page.evaluate((consent) => new Promise((resolve) => {
    selvedge.on('accepted', ({ count }) => count && resolve());
    selvedge.consent(consent);
    selvedge.identify('u-17', { loyalty_tier: 'gold' });
    selvedge.flush();
  }), CONSENT);
  await answered;
  await until('the program', () => requests.some(({ url }) => /\/program\//.test(url)));
  const fetched = () => PARTS.filter((part) => requests.some(({ url }) => url.endsWith(`/${part}`)));
  return { page, fetched, close: () => context.close().then(app.close) };
}

test('a page without a slot fetches nothing that decides or shows, and its events arrive', async () => {
  const { page, fetched, close } = await member('<h1>No slot</h1>');
  const from = (await log(site)).length;
  await page.evaluate(() => {
    document.body.append(document.createElement('p'));
    selvedge.track('search', { query: 'no slot', results: 1 });
    selvedge.flush();
  });
  await until('the event', async () => (await log(site)).slice(from).some(({ properties }) => properties.query === 'no slot'));
  await page.waitForTimeout(500);
  assert.deepEqual(fetched(), []);
  await close();
});

test('a slot that comes later is filled', async () => {
  const { page, fetched, close } = await member('<h1>No slot</h1>');
  await page.evaluate((slot) => document.body.insertAdjacentHTML('beforeend', slot), SLOT);
  await page.waitForFunction(() => /Gold/.test(document.querySelector('[data-selvedge-slot]').textContent));
  assert.deepEqual(fetched(), PARTS);
  await close();
});

for (const [who, ask] of [
  ['for all decisions', () => void selvedge.decisions()],
  ['for those of a slot', () => void selvedge.slot('hero', () => {})],
  ['to hear of them', () => void selvedge.on('decision', () => {})],
]) {
  test(`a site that asks ${who} gets them without a slot in the page`, async () => {
    const { page, fetched, close } = await member('<h1>No slot</h1>');
    await page.evaluate(ask);
    await until('the decision', () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'gold-hero')));
    assert.deepEqual(fetched(), ['rules.js', 'rules.wasm'], 'and nothing that would show them');
    await close();
  });
}

test('what was called counts for what is asked next, and is on the device when the task is over', async () => {
  const app = await beside(site.url, { '/': { body: html(SLOT) } });
  const { context, page } = await visit(browser);
  await page.goto(app.url);
  await page.waitForFunction(() => Array.isArray(globalThis.selvedge?.decisions?.()));
  await page.evaluate((consent) => selvedge.consent(consent), CONSENT);
  await page.route('**/v1/collect', () => {});
  const isGold = () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'gold-hero'));
  await page.evaluate(() => selvedge.identify('u-18', { loyalty_tier: 'gold' }));
  await until('the engine, which decides', isGold);
  await page.evaluate(() => selvedge.reset());
  // A stranger, whose queue has begun: to begin one takes the whole road.
  await page.evaluate(() => selvedge.track('search', { query: 'shoes', results: 1 }));
  assert.ok(!(await isGold()), 'a stranger is no member');
  const found = await page.evaluate(async () => {
    const queued = () => Object.keys(localStorage).filter((key) => /^selvedge\.shop\.q\./.test(key)).length;
    const before = queued();
    for (let count = 0; count < 300; count += 1) selvedge.track('search', { query: `shoes ${count}`, results: 1 });
    selvedge.identify('u-18', { loyalty_tier: 'gold' });
    const rules = selvedge.decisions().map(({ rule }) => rule);
    selvedge.track('search', { query: 'nothing is asked behind it', results: 0 });
    // Still in this task, behind what is put off to its end.
    for (let turn = 0; turn < 8; turn += 1) await undefined;
    return { rules, added: queued() - before };
  });
  assert.ok(found.rules.includes('gold-hero'), `${found.rules}`);
  assert.equal(found.added, 302);
  await context.close();
  await app.close();
});
