// Bytes of an event as the real page sends it: a visitor walks through the shop, and the first batch of 20 events or more
// is taken off the network. Beside it the same batch as JSON, before and after gzip: its events as the log gives them
// back, its head as the JSON form of the collect interface has it, nothing that is empty.
import assert from 'node:assert/strict';
import { gzipSync, inflateRawSync } from 'node:zlib';
import { launch, log, ready, serve, until, visit } from '../../tests/browser/support/world.mjs';
import { print } from './support/figures.mjs';

const EVENTS_MIN = 20;
const PREAMBLE_BYTES = 2;
const FLAG_DEFLATE = 1;

const site = await serve();
const browser = await launch();
try {
  const { context, page } = await visit(browser);
  const bodies = [];
  page.on('request', (request) => request.url().endsWith('/v1/collect') && bodies.push(request.postDataBuffer()));
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads&utm_campaign=spring`);
  await ready(page);
  await page.click('[data-consent="all"]');
  await until('the first batch to be taken', async () => bodies.length > 0 && (await queued(page)) === 0);
  const before = (await log(site)).length;
  await context.setOffline(true);
  await walk(page);
  const events = await queued(page);
  bodies.length = 0;
  await context.setOffline(false);
  const lines = await until('the walk in the log', async () => {
    const all = await log(site);
    return all.length >= before + events && all.slice(before, before + events);
  });
  const sent = bodies.find((body) => body?.length > 0);
  assert.equal(sent[1], FLAG_DEFLATE, 'the page deflates a batch of this size');
  const json = Buffer.from(JSON.stringify(batch(lines)));
  const whole = PREAMBLE_BYTES + inflateRawSync(sent.subarray(PREAMBLE_BYTES)).length;
  console.log(`a batch of ${events} events of a walk through the shop`);
  print('bytes per event, shop page: wire', [whole / events]);
  print('bytes per event, shop page: wire deflated', [sent.length / events]);
  print('bytes per event, shop page: JSON', [json.length / events]);
  print('bytes per event, shop page: JSON gzipped', [gzipSync(json).length / events]);
} finally {
  await browser.close();
  await site.close();
}

/** Events that wait on the device. */
function queued(page) {
  return page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('selvedge.shop.q.')).length);
}

/** Looks at product after product until enough has happened. */
async function walk(page) {
  for (let nth = 0; (await queued(page)) < EVENTS_MIN; nth += 1) {
    await page.click('a[href="/c/shoes"]');
    await page.waitForSelector('h1:has-text("Shoes")');
    await page.locator('a.card-link').nth(nth % 4).click();
    await page.waitForSelector('[data-form="add"], form');
    await page.waitForTimeout(200);
  }
}

/** The batch in the JSON form. */
function batch(lines) {
  const [{ visitor, writer, received_at_ms: sent_at, consent }] = lines;
  const shared = Object.entries(lines[0].context)
    .filter(([name, value]) => lines.every(({ context }) => context[name] === value));
  const names = new Set(shared.map(([name]) => name));
  const filled = (name, map) => (Object.keys(map).length > 0 ? { [name]: map } : {});
  const events = lines.map(({ sequence, type, name, time_ms: time, properties, context }) => ({
    sequence, type, name, time,
    ...filled('properties', properties),
    ...filled('context', Object.fromEntries(Object.entries(context).filter(([fact]) => !names.has(fact)))),
  }));
  const { program } = lines[0];
  return {
    write_key: 'wk_shop_browser', visitor, writer, sent_at, skew_ms: -113, floor: lines[0].sequence, program, consent,
    context: Object.fromEntries(shared), events,
  };
}
