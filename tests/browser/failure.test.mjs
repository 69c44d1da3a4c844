// Any failure of ours leaves the page as it was.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, log, serve, until, visit } from './support/world.mjs';

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

const usable = async (page) => {
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(`${site.url}/?utm_medium=cpc`);
  await page.waitForSelector('[data-selvedge-slot="hero"]');
  await page.click('[data-consent="all"]');
  await page.click('a[href="/c/shoes"]');
  await page.locator('a.card-link').first().click();
  await page.waitForTimeout(800);
  return faults;
};

for (const [what, pattern] of [
  ['the loader', '**/selvedge/v1/loader.js'],
  ['the client', '**/selvedge/v1/selvedge.js'],
  ['the wasm', '**/selvedge/v1/*.wasm'],
  ['the config', '**/s/shop/config?*'],
  ['the program', '**/s/shop/program/**'],
  ['collect', '**/v1/collect'],
]) {
  test(`without ${what} the shop works as if Selvedge were not there`, async () => {
    const { context, page } = await visit(browser);
    await page.route(pattern, (route) => route.abort());
    assert.deepEqual(await usable(page), []);
    await context.close();
  });
}

test('a program that is not one changes nothing and breaks nothing', async () => {
  const { context, page } = await visit(browser);
  await page.route('**/s/shop/program/**', (route) => route.fulfill({ body: Buffer.from('not a program at all') }));
  assert.deepEqual(await usable(page), []);
  await context.close();
});

test('where the page forbids wasm, events still arrive and decisions are still applied', async () => {
  const { context, page } = await visit(browser);
  await page.addInitScript(() => {
    WebAssembly.instantiateStreaming = () => Promise.reject(new Error('refused by policy'));
    WebAssembly.instantiate = () => Promise.reject(new Error('refused by policy'));
    WebAssembly.compileStreaming = () => Promise.reject(new Error('refused by policy'));
    WebAssembly.compile = () => Promise.reject(new Error('refused by policy'));
  });
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads`);
  await page.click('[data-consent="all"]');
  await page.evaluate(() => {
    selvedge.track('product_view', { category: 'shoes', sku: 'no-wasm', value: 1, currency: 'EUR' });
    selvedge.track('product_view', { category: 'shoes', sku: 'no-wasm', value: 1, currency: 'EUR' });
  });
  await until('both events', async () => (await log(site)).filter(({ properties }) => properties.sku === 'no-wasm').length === 2);
  await until('the banner', async () => /ship free/i.test(await page.textContent('[data-selvedge-slot="hero"]')));
  await context.close();
});
