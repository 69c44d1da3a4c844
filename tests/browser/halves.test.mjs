// The second half of the head's module: late, or not to be had, it costs neither an event nor the visitor's word.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptied, launch, log, serve, until, visit } from './support/world.mjs';

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

const LATER = '**/selvedge/v1/later.wasm';
const arrived = async (sku) => (await log(site)).filter(({ properties }) => properties.sku === sku);

/** Tells of a product as often as said, each time another value. */
const track = (page, sku, count, from = 0) =>
  page.evaluate(
    ([sku, count, from]) => {
      for (let at = 0; at < count; at++) {
        selvedge.track('product_view', { category: 'shoes', sku, value: from + at, currency: 'EUR' });
      }
    },
    [sku, count, from],
  );

const once = (events, count) => {
  assert.deepEqual(
    events.map(({ properties }) => +properties.value).sort((a, b) => a - b),
    Array.from({ length: count }, (_, at) => at),
  );
};

const onDevice = (page) => page.evaluate(() => Object.keys(localStorage).filter((key) => /^selvedge\.shop\.(q|w|visitor)/.test(key)));

test('where the second half comes late, what happens is kept meanwhile, then arrives once, and decisions follow', async () => {
  const { context, page } = await visit(browser);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(LATER, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads`);
  await page.click('[data-consent="all"]');
  await track(page, 'half-late', 3);
  await until('all are on the device', async () => (await onDevice(page)).filter((key) => /\.q\./.test(key)).length >= 4);
  release();
  await until('the first batch', async () => (await arrived('half-late')).length === 3);
  await track(page, 'half-late', 22, 3);
  await until('the rest', async () => (await arrived('half-late')).length === 25);
  once(await arrived('half-late'), 25);
  await until('the banner', async () => /ship free/i.test(await page.textContent('[data-selvedge-slot="hero"]')));
  await context.close();
});

test('what a page without the second half holds leaves with its end, and the next page finishes it', async () => {
  const { context, page } = await visit(browser);
  await page.route(LATER, (route) => route.abort());
  await page.goto(`${site.url}/`);
  await page.click('[data-consent="all"]');
  await track(page, 'half-never', 32);
  await until('all are on the device', async () => (await onDevice(page)).filter((key) => /\.q\./.test(key)).length >= 32);
  await page.goto('about:blank');
  await until('the beacon', async () => (await arrived('half-never')).length > 0);
  await page.unroute(LATER);
  await page.goto(`${site.url}/`);
  await until('all of them', async () => (await arrived('half-never')).length === 32);
  once(await arrived('half-never'), 32);
  await emptied(page);
  await context.close();
});

test('a visitor withdraws without the second half, which is asked for again when the page is online again', async () => {
  const { context, page } = await visit(browser);
  let isBroken = true;
  await page.route(LATER, (route) => (isBroken ? route.fulfill({ status: 500, body: 'no' }) : route.continue()));
  await page.goto(`${site.url}/`);
  await page.click('[data-consent="all"]');
  await track(page, 'half-withdrawn', 1);
  await until('it is on the device', async () => (await onDevice(page)).length > 0);
  await page.evaluate(() => selvedge.consent({ analytics: false, personalization: false, advertising: false }));
  await page.waitForTimeout(100);
  assert.deepEqual(await onDevice(page), []);
  isBroken = false;
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true, advertising: true }));
  await track(page, 'half-again', 1);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await until('the next visitor is heard', async () => (await arrived('half-again')).length === 1);
  assert.deepEqual(await arrived('half-withdrawn'), []);
  await context.close();
});
