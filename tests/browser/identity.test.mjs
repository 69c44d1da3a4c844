// Who a visitor is, beyond the page's own storage: the edge's first-party cookie, links to the site's other domains, pages that keep
// nothing, visitors who were erased, and calls of pages that were left before the client came.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { html, lab, tag } from './support/lab.mjs';
import { launch, ready, stored, until, visit } from './support/world.mjs';

const DAY_MS = 24 * 3_600_000;
let browser;
let site;
let port;
let from;
before(async () => {
  const links = (hosts) => hosts.map(([id, href]) => `<a id="${id}" href="${href}">${id}</a>`).join(' ');
  const files = {
    '/': () => html(links([
      ['other', `http://other.localhost:${port}/there?keep=a%20b#part`],
      ['foreign', `http://foreign.localhost:${port}/there`],
      ['redirect', `http://other.localhost:${port}/there?to=https%3A%2F%2Fevil.example`],
    ])),
    '/there': () => html('there'),
    // A page without the script: there what was left behind can be looked at.
    '/plain': () => html('plain', ''),
    '/memory': () => html('memory', tag('data-storage="memory"')),
  };
  const served = {};
  site = await lab(served, 'identity');
  port = new URL(site.url).port;
  for (const [path, body] of Object.entries(files)) served[path] = body();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  from = (await site.lines()).length;
});

const at = (host, path = '/') => `http://${host}.localhost:${port}${path}`;
const grant = (page) => page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
const COOKIE = 'selvedge_lab';
const cookies = async ({ context }) => (await context.cookies()).filter(({ name }) => name === COOKIE);

async function open(visitor, url, page = visitor.page) {
  await page.goto(url);
  await ready(page);
  return page;
}

/** Tracks an event, and gives back whose it is in the log. */
async function track(page, word) {
  await page.evaluate((word) => selvedge.track('marked', { word }), word);
  return whose(word, page);
}

/** Who did it, by the log; `page` is asked to send what it has meanwhile. */
async function whose(word, page) {
  const line = await until(`the event ${word}`, async () => {
    await page?.evaluate(() => selvedge.flush());
    return (await site.lines(from)).find(({ properties }) => properties?.word === word);
  });
  return line.visitor;
}

test('the edge sets the id as a cookie after consent, once, and it brings the visitor back when the storage was cleared', async () => {
  const visitor = await visit(browser);
  const { page, requests } = visitor;
  const posts = () => requests.filter(({ method }) => method === 'POST');
  await open(visitor, at('www.shop'));
  await page.waitForTimeout(500);
  assert.deepEqual([await cookies(visitor), posts()], [[], []], 'nothing before consent');
  await grant(page);
  const id = await track(page, 'first');
  const [cookie] = await until('the cookie', async () => (await cookies(visitor)).length && cookies(visitor));
  assert.equal(cookie.value.split('.')[0], id);
  assert.deepEqual([cookie.domain, cookie.secure, cookie.sameSite], ['.shop.localhost', true, 'Lax']);
  const days = (cookie.expires * 1_000 - Date.now()) / DAY_MS;
  assert.ok(days > 392.9 && days <= 393, `${days} days`);
  await track(page, 'second');
  assert.equal(posts().filter(({ url }) => url.includes('?id=')).length, 1, 'asked for once');
  await page.evaluate(() => localStorage.clear());
  await open(visitor, at('www.shop'));
  await page.evaluate(() => selvedge.track('marked', { word: 'held' }));
  await grant(page);
  assert.equal(await track(page, 'back'), id);
  assert.equal(await whose('held'), id, 'nothing went to another before the cookie was read');
  await page.evaluate(() => localStorage.clear());
  await open(visitor, at('shop'));
  await grant(page);
  assert.equal(await track(page, 'other host'), id, 'all hosts of the domain share it');
  const [later] = await cookies(visitor);
  assert.equal(later.expires, cookie.expires, 'never renewed');
  await visitor.context.close();
});

test('a withdrawal, a refusal and a logout remove the cookie', async () => {
  for (const end of ['selvedge.consent({ analytics: false, personalization: false, advertising: false })', 'selvedge.reset()']) {
    const visitor = await visit(browser);
    await open(visitor, at('www.shop'));
    await grant(visitor.page);
    const id = await track(visitor.page, `before ${end}`);
    await until('the cookie', async () => (await cookies(visitor)).length);
    await visitor.page.evaluate(end);
    await until('no cookie', async () => !(await cookies(visitor)).length, 1_000);
    await open(visitor, at('www.shop'));
    await grant(visitor.page);
    assert.notEqual(await track(visitor.page, `after ${end}`), id);
    await visitor.page.evaluate(() => localStorage.clear());
    await until('the new cookie', async () => (await cookies(visitor)).length);
    await open(visitor, at('www.shop'));
    await visitor.page.evaluate(() => selvedge.consent({ analytics: false, personalization: false, advertising: false }));
    await until('no cookie after a refusal', async () => !(await cookies(visitor)).length, 2_000);
    assert.deepEqual((await stored(visitor.page)).local, []);
    await visitor.context.close();
  }
});

test('what another site posts is never answered with a cookie', async () => {
  const visitor = await visit(browser);
  let asked;
  visitor.page.on('request', (request) => {
    if (request.url().includes('?id=')) asked ??= { url: request.url(), body: request.postDataBuffer() };
  });
  await open(visitor, at('www.shop'));
  await grant(visitor.page);
  await track(visitor.page, 'theirs');
  await until('the request', () => asked);
  const post = async (origin, url = asked.url) => {
    const there = new URL(url);
    const answer = await fetch(`${site.url}${there.pathname}${there.search}`, { method: 'POST', body: asked.body, headers: { origin } });
    return [answer.status, answer.headers.get('set-cookie')];
  };
  assert.deepEqual(await post('https://elsewhere.example'), [200, null]);
  assert.deepEqual(await post(site.url), [200, null], 'this host is none of the domain');
  await visitor.context.close();
});

test('links hand the id to the other domains of the site, with consent on both sides, and to nobody else', async () => {
  const visitor = await visit(browser);
  const { page, requests } = visitor;
  await open(visitor, at('www.shop'));
  await page.click('#other');
  await ready(page);
  assert.equal(requests.some(({ url }) => url.includes('_sv=')), false, 'nothing without consent');
  await open(visitor, at('www.shop'));
  await grant(page);
  const id = await track(page, 'here');
  await page.click('#other');
  await page.waitForURL(/other\.localhost/);
  await ready(page);
  const decorated = requests.find(({ url }) => url.includes('_sv='))?.url;
  assert.ok(decorated?.startsWith(at('other', '/there?keep=a%20b&_sv=')), decorated);
  await until('a clean address', () => page.url() === at('other', '/there?keep=a%20b#part'), 3_000);
  assert.deepEqual((await stored(page)).local, [], 'nothing before consent over there');
  await grant(page);
  assert.equal(await track(page, 'there'), id);
  const lines = await site.lines(from);
  assert.equal(JSON.stringify(lines).includes('_sv'), false, 'it is captured nowhere');
  assert.equal(lines.filter(({ name, properties }) => name === 'page' && properties.path === '/there').length, 1);
  for (const link of ['#foreign', '#redirect']) {
    await open(visitor, at('www.shop'));
    requests.length = 0;
    await page.click(link);
    await page.waitForURL(/there/);
    assert.equal(requests.some(({ url }) => url.includes('_sv=')), false, link);
  }
  const stranger = await visit(browser);
  await open(stranger, decorated);
  await grant(stranger.page);
  assert.notEqual(await track(stranger.page, 'pasted'), id, 'a link that somebody passed on is not taken');
  assert.equal(stranger.page.url().includes('_sv'), false);
  for (const { context } of [visitor, stranger]) await context.close();
});

test('a page that keeps nothing still delivers, also as it closes', async () => {
  const visitor = await visit(browser);
  const { page } = visitor;
  await open(visitor, at('www.shop', '/memory'));
  await grant(page);
  const id = await track(page, 'memory');
  assert.equal(await track(page, 'memory again'), id, 'an id lives as long as the page');
  await page.evaluate(() => {
    for (let index = 0; index < 20; index += 1) selvedge.track('marked', { word: `closing ${index}` });
  });
  assert.deepEqual(await stored(page), { local: [], session: [], cookies: '', databases: [], caches: [] });
  await page.close({ runBeforeUnload: true });
  const closing = await until('the last events', async () => {
    const found = (await site.lines(from)).filter(({ properties }) => properties?.word?.startsWith('closing'));
    return found.length >= 20 && found;
  });
  assert.deepEqual([closing.length, closing.every(({ visitor }) => visitor === id)], [20, true]);
  const next = await visitor.context.newPage();
  await open(visitor, at('www.shop', '/memory'), next);
  await grant(next);
  assert.notEqual(await track(next, 'memory next'), id);
  assert.deepEqual(await cookies(visitor), []);
  await visitor.context.close();
});

test('a visitor who was erased begins anew, under the same consent', async () => {
  const visitor = await visit(browser);
  const { page, requests } = visitor;
  await open(visitor, at('www.shop'));
  await grant(page);
  const id = await track(page, 'before the erasure');
  await until('the cookie', async () => (await cookies(visitor)).length);
  const order = await fetch(`${site.url}/v1/erase`, {
    method: 'POST',
    headers: { authorization: `Bearer ${site.token}` },
    body: JSON.stringify({ visitor: id }),
  });
  assert.equal(order.status, 200, await order.text());
  const heard = page.evaluate(() => new Promise((hear) => selvedge.on('refused', ({ code }) => hear(code))));
  await page.evaluate(() => {
    selvedge.track('marked', { word: 'refused' });
    selvedge.flush();
  });
  assert.equal(await heard, 'erased');
  const anew = await track(page, 'anew');
  assert.notEqual(anew, id);
  await until('the new cookie', async () => (await cookies(visitor))[0]?.value.startsWith(anew), 5_000);
  requests.length = 0;
  await open(visitor, at('www.shop'));
  assert.equal(await track(page, 'next page'), anew);
  assert.equal((await site.lines(from)).some(({ properties }) => properties?.word === 'refused'), false);
  await visitor.context.close();
});

test('calls of a page that was left before the client came are made by the next page, and kept only where consent was known', async () => {
  const visitor = await visit(browser);
  const { context, page } = visitor;
  const leave = async () => {
    await context.route('**/selvedge.wasm', () => {});
    await page.goto(at('www.shop', '/there'));
    await page.waitForFunction(() => globalThis.selvedge?.track);
    await page.evaluate(() => {
      for (let index = 0; index < 3; index += 1) selvedge.track('marked', { word: `left ${index}` });
    });
    await page.goto(at('www.shop', '/plain'));
    await context.unroute('**/selvedge.wasm');
    return (await stored(page)).local.filter((key) => key.includes('.calls.'));
  };
  assert.deepEqual(await leave(), [], 'nobody knows of consent');
  assert.deepEqual((await stored(page)).local, []);
  await open(visitor, at('www.shop'));
  await grant(page);
  const id = await track(page, 'granted');
  const happened = Date.now();
  assert.equal((await leave()).length, 1, 'kept as the page goes');
  await page.waitForTimeout(1_000);
  await open(visitor, at('www.shop'));
  await track(page, 'arrived');
  const found = (await site.lines(from)).filter(({ properties }) => properties?.word?.startsWith('left'));
  assert.deepEqual(found.map(({ properties }) => properties.word), ['left 0', 'left 1', 'left 2']);
  assert.ok(found.every(({ visitor, time_ms }) => visitor === id && time_ms - happened < 1_000 + 5_000), 'theirs, with their times');
  const views = (await site.lines(from)).filter(({ name, properties }) => name === 'page' && properties.path === '/there');
  assert.equal(views.length, 1, 'and its page view');
  assert.equal((await stored(page)).local.some((key) => key.includes('.calls.')), false);
  await page.reload();
  await ready(page);
  await track(page, 'reloaded');
  assert.equal((await site.lines(from)).filter(({ properties }) => properties?.word?.startsWith('left')).length, 3, 'once');
  await context.close();
});
