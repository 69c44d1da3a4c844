// Nothing is lost and nothing is doubled: offline, at close, at a kill of the worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { emptied, launch, log, pass, ready, serve, until, visit } from './support/world.mjs';

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

const queries = async (prefix) => (await log(site))
  .filter(({ name, properties }) => name === 'search' && properties.query.startsWith(prefix))
  .map(({ properties }) => properties.query);

const search = (page, query) => page.evaluate((text) => selvedge.track('search', { query: text }), query);

async function arrive(options) {
  const visitor = await visit(browser, options);
  await visitor.page.goto(`${site.url}/c/shoes`);
  await ready(visitor.page);
  await visitor.page.click('[data-consent="all"]');
  return visitor;
}

const expected = (prefix, count) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

test('offline, then online: nothing is lost and nothing is doubled', async () => {
  const { context, page } = await arrive();
  await context.setOffline(true);
  for (const query of expected('offline-', 30)) await search(page, query);
  // Each failure doubles the wait for the next try: up to five minutes.
  for (let tries = 0; tries < 10; tries += 1) {
    await page.evaluate(() => selvedge.flush());
    await pass(page, 150);
  }
  assert.deepEqual(await queries('offline-'), []);
  await context.setOffline(false);
  const arrived = await until('all thirty, as soon as the page is online', async () => {
    const list = await queries('offline-');
    return list.length >= 30 && list;
  }, 10_000);
  assert.deepEqual(arrived, expected('offline-', 30));
  await page.waitForTimeout(1_000);
  assert.equal((await queries('offline-')).length, 30);
  await context.close();
});

test('closing the tab right after a track call loses nothing', async () => {
  const { context, page } = await arrive();
  for (let round = 0; round < 10; round += 1) {
    const tab = await context.newPage();
    await tab.goto(`${site.url}/c/shoes`);
    await ready(tab);
    await search(tab, `closed-${round}`);
    await tab.close();
  }
  await page.reload();
  await ready(page);
  const arrived = await until('all ten', async () => {
    const list = await queries('closed-');
    return list.length >= 10 && list;
  });
  assert.deepEqual([...arrived].sort(), expected('closed-', 10).sort());
  await context.close();
});

test('what is tracked while offline survives the close of the tab', async () => {
  const { context, page } = await arrive();
  await context.setOffline(true);
  for (const query of expected('kept-', 5)) await search(page, query);
  await page.close();
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto(`${site.url}/c/shoes`);
  const arrived = await until('all five', async () => {
    const list = await queries('kept-');
    return list.length >= 5 && list;
  });
  assert.deepEqual(arrived, expected('kept-', 5));
  await ready(next);
  await emptied(next);
  await context.close();
});

test('a worker that dies and comes back gets everything, once', async () => {
  const { context, page } = await arrive();
  await search(page, 'dying-0');
  await site.kill();
  for (const query of expected('dying-', 6).slice(1)) await search(page, query);
  await page.evaluate(() => selvedge.flush());
  await page.waitForTimeout(500);
  await site.start();
  const arrived = await until('all six', async () => {
    const list = await queries('dying-').catch(() => []);
    return list.length >= 6 && list;
  }, 40_000);
  assert.deepEqual(arrived, expected('dying-', 6));
  await context.close();
});
