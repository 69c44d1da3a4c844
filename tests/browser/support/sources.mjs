// A shop whose sources of consent a test names, and visitors of it: what is stored and what leaves at each step.
import assert from 'node:assert/strict';
import { serveCopy } from './copy.mjs';
import { isAllowed, launch, log, ready, stored, until, visit, withCookie } from './world.mjs';

export const WAIT_MS = 1_000;
export const LONG_MS = 5_000;
const nothing = { local: [], session: [], cookies: '', databases: [], caches: [] };

export let site;
export let browser;
let published = '';

export async function open() {
  site = await serveCopy();
  browser = await launch();
}

export async function close() {
  await browser?.close();
  await site?.close();
}

/** Publishes the shop with this below `consent:`; a source that says nothing is waited for so long. */
export async function publish(lines, waitMs = WAIT_MS) {
  if (`${lines}${waitMs}` === published) return;
  published = `${lines}${waitMs}`;
  const consent = `consent:\n  mode: opt-in\n  policy_version: 3\n  wait: ${waitMs / 1000}s\n  regions:\n    US: opt-out\n    FR: cnil\n${lines}\n`;
  await site.write('site.yaml', site.original('site.yaml').replace(/^consent:\n( .*\n)*/m, consent));
}

export const SCRIPT = '<script async src="/selvedge/v1/loader.js" data-site="shop" data-key="wk_shop_browser" data-page="manual"></script>';
export const document = (head) => `<!doctype html><title>consent</title><link rel="icon" href="data:,">${head}<p>page</p>`;

/** A fresh visitor in `country` on a page with `head`; `block` cuts off addresses. */
export async function arrive({ country = 'DE', head = '', block, gpc = false } = {}) {
  const headers = { 'cf-ipcountry': country, ...(gpc ? { 'sec-gpc': '1' } : {}) };
  const visitor = await visit(browser, { extraHTTPHeaders: headers });
  await withCookie(visitor.context, site.url);
  if (block) await visitor.context.route(block, (route) => route.abort());
  await visitor.context.route(`${site.url}/consent-test`, (route) => route.fulfill({ contentType: 'text/html', body: document(head + SCRIPT) }));
  await visitor.page.goto(`${site.url}/consent-test`);
  await ready(visitor.page);
  await until('the config', () => visitor.requests.some(({ url }) => new URL(url).pathname.endsWith('/config')));
  await visitor.page.waitForTimeout(250);
  return visitor;
}

export const search = (frame, query) => frame.evaluate((query) => selvedge.track('search', { query }), query);

/** The step's snapshot before an answer: 0 bytes on the device, no request but GETs without cookies. */
export async function assertUntouched({ page, requests, left }, step) {
  assert.deepEqual(await stored(page), nothing, step);
  const soFar = [...requests];
  await left();
  assert.deepEqual(soFar.filter((request) => !isAllowed(request)), [], step);
}
export const ours = async (page) => (await stored(page)).local.filter((key) => key.startsWith('selvedge'));
export const logged = async (query) => (await log(site)).find(({ properties }) => properties.query === query);
export const arrived = (query) => until(query, () => logged(query));
export const flush = (frame) => frame.evaluate(() => selvedge.flush());

/** Lets the platform take consent back, and gives the milliseconds until the device has nothing but `left`. */
export const timeToErase = (page, withdraw, left = '') => page.evaluate(async ([withdraw, left]) => {
  const begun = performance.now();
  new Function(withdraw)();
  while (Object.keys(localStorage).some((key) => key.startsWith('selvedge') && key !== left)) {
    if (performance.now() - begun > 5_000) return Infinity;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - begun;
}, [withdraw, left]);
