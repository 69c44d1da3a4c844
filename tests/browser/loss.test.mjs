// Bursts of events, and then the page goes: by navigation, close, close while offline, or a crash of its renderer. Nothing is
// lost and nothing comes twice, also with several tabs, with a full or a denied storage, without Web Locks, and through an edge that fails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { proxy } from './support/proxy.mjs';
import { emptied, launch, log, ready, serve, until, visit } from './support/world.mjs';

/** By hand, `SELVEDGE_ROUNDS` says another number. */
const ROUNDS = Number(process.env.SELVEDGE_ROUNDS ?? (process.env.SELVEDGE_FULL ? 500 : 25));
const BURST = 20;

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

/** A visitor who agreed, and whose first page stays open. `prepare` runs in each page before its scripts. */
async function arrive({ prepare, at = site.url, ...options } = {}) {
  const visitor = await visit(browser, options);
  if (prepare) await visitor.context.addInitScript(prepare);
  await visitor.page.goto(`${at}/c/shoes`);
  await ready(visitor.page);
  await visitor.page.click('[data-consent="all"]');
  return visitor;
}

async function open(context, at = site.url) {
  const tab = await context.newPage();
  await tab.goto(`${at}/c/shoes`);
  await ready(tab);
  return tab;
}

/** Tracks a burst; `last` runs in the same task, before the page can do anything else. */
const burst = (page, prefix, last = '') => page.evaluate(([prefix, count, last]) => {
  for (let index = 0; index < count; index += 1) selvedge.track('search', { query: `${prefix}-${index}` });
  if (last) location.href = last;
}, [prefix, BURST, last]);

/** The queries that were logged and begin so, in the log's order. */
const logged = async (prefix) => (await log(site))
  .filter(({ name, properties }) => name === 'search' && properties.query.startsWith(`${prefix}-`))
  .map(({ properties }) => properties.query);

const expected = (prefixes) => prefixes.flatMap((prefix) => Array.from({ length: BURST }, (_, index) => `${prefix}-${index}`));

/** All bursts arrived, each event once, and each burst in its order. */
async function arrived(prefix, bursts) {
  const wanted = expected(bursts);
  const list = await until(`${wanted.length} events of ${prefix}`, async () => {
    const now = await logged(prefix);
    return now.length >= wanted.length && now;
  }, 60_000).catch(async (problem) => {
    const now = new Set(await logged(prefix));
    throw new Error(`${problem.message}; lost: ${wanted.filter((query) => !now.has(query))}`);
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual([...await logged(prefix)].sort(), [...wanted].sort());
  for (const one of bursts) {
    assert.deepEqual(list.filter((query) => query.startsWith(`${one}-`)), expected([one]), 'out of order');
  }
}

/** Every round in a page of its own; `leave` ends it. */
async function rounds(prefix, visitor, leave) {
  const bursts = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const tab = await open(visitor.context);
    bursts.push(`${prefix}-${round}`);
    await leave(tab, `${prefix}-${round}`);
  }
  await visitor.page.reload();
  await ready(visitor.page);
  await arrived(prefix, bursts);
  await emptied(visitor.page);
  await visitor.context.close();
}

test(`${ROUNDS} bursts, each followed by a navigation at once`, async () => {
  await rounds('navigate', await arrive(), async (tab, name) => {
    const next = tab.waitForEvent('load');
    await burst(tab, name, '/').catch(() => {});
    await next;
    await tab.close();
  });
});

test(`${ROUNDS} bursts, each followed by a close at once`, async () => {
  await rounds('close', await arrive(), async (tab, name) => {
    await burst(tab, name);
    await tab.close();
  });
});

test(`${ROUNDS} bursts while offline, each followed by a close`, async () => {
  const visitor = await arrive();
  await rounds('offline', visitor, async (tab, name) => {
    await visitor.context.setOffline(true);
    await burst(tab, name);
    await tab.close();
    await visitor.context.setOffline(false);
  });
});

test(`${ROUNDS} bursts, each followed by a crash of the renderer a second later`, async () => {
  const visitor = await arrive();
  await rounds('crash', visitor, async (tab, name) => {
    await visitor.context.setOffline(true);
    await burst(tab, name);
    await tab.waitForTimeout(1_000);
    await crash(visitor.context, tab);
    await visitor.context.setOffline(false);
  });
});

/** Ends the page's process as the system would for want of memory. */
async function crash(context, tab) {
  const gone = tab.waitForEvent('crash');
  const session = await context.newCDPSession(tab);
  session.send('Page.crash').catch(() => {});
  await gone;
  await tab.close();
}

for (const count of [2, 5]) {
  test(`${count} tabs at once, closed in the middle of it`, async () => {
    const { context, page } = await arrive();
    const tabs = await Promise.all(Array.from({ length: count }, () => open(context)));
    const bursts = tabs.map((_, at) => `tabs${count}-${at}`);
    await Promise.all(tabs.map((tab, at) => burst(tab, bursts[at])));
    await Promise.all(tabs.map((tab) => tab.close()));
    await page.reload();
    await ready(page);
    await arrived(`tabs${count}`, bursts);
    await context.close();
  });
}

test('a full storage loses nothing while the page lives', async () => {
  const { context, page } = await arrive();
  await page.evaluate(() => {
    for (let size = 2 ** 20; size >= 1; size /= 2) {
      try {
        for (;;) localStorage.setItem(`filler${Math.random()}`, 'x'.repeat(size));
      } catch {
        // Full at this size.
      }
    }
  });
  await burst(page, 'full-0');
  await page.evaluate(() => selvedge.flush());
  await arrived('full', ['full-0']);
  await context.close();
});

test('a denied storage loses nothing while the page lives', async () => {
  const prepare = () => Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new DOMException('', 'SecurityError'); } });
  const { context, page } = await arrive({ prepare });
  await burst(page, 'denied-0');
  await page.evaluate(() => selvedge.flush());
  await arrived('denied', ['denied-0']);
  await context.close();
});

test('without Web Locks, tabs may send the same events, and the edge counts them once', async () => {
  const prepare = () => Object.defineProperty(navigator, 'locks', { value: undefined });
  const { context, page } = await arrive({ prepare });
  await context.setOffline(true);
  await burst(page, 'lockless-0');
  await context.setOffline(false);
  const others = await Promise.all([open(context), open(context)]);
  await Promise.all(others.map((tab, at) => burst(tab, `lockless-${at + 1}`)));
  await others[0].close();
  await others[1].reload();
  await page.evaluate(() => selvedge.flush());
  await page.reload();
  await ready(page);
  await arrived('lockless', ['lockless-0', 'lockless-1', 'lockless-2']);
  await context.close();
});

/** A visitor behind a network that fails, and what the collector's requests met with. */
async function behind(name, ...faults) {
  const network = await proxy(site.url);
  const { context, page } = await arrive({ at: network.url });
  await page.evaluate(() => selvedge.flush());
  await until('the first answer', () => network.met.length > 0);
  await page.waitForTimeout(300);
  network.met.length = 0;
  network.fail(...faults);
  await burst(page, `${name}-0`);
  await page.evaluate(() => selvedge.flush());
  return { network, page, end: async () => {
    await context.close();
    await network.close();
  } };
}

for (const [name, ...faults] of [
  ['status500', { status: 500 }, { status: 503 }],
  ['reset', { reset: true }, { reset: true }],
  ['refused', { refuse: true }, { refuse: true }],
]) {
  test(`an edge that answers ${name} twice gets everything, once`, async () => {
    const { network, end } = await behind(name, ...faults);
    await arrived(name, [`${name}-0`]);
    assert.ok(network.met.filter(({ fault }) => fault).length >= 2, 'the faults were met');
    await end();
  });
}

test('`Retry-After` is obeyed', async () => {
  const { network, end } = await behind('status429', { status: 429, headers: { 'retry-after': '3' } });
  await arrived('status429', ['status429-0']);
  const refused = network.met.findIndex(({ fault }) => fault);
  const waited = network.met[refused + 1].at - network.met[refused].at;
  assert.ok(waited >= 2_950, `tried again after ${waited} ms`);
  await end();
});

test('a batch that is too large is halved until it is not', async () => {
  const network = await proxy(site.url);
  const { context, page } = await arrive({ at: network.url });
  await page.evaluate(() => selvedge.flush());
  await until('the first answer', () => network.met.length > 0);
  network.limit(250);
  await burst(page, 'large-0');
  await page.evaluate(() => selvedge.flush());
  await arrived('large', ['large-0']);
  assert.ok(network.met.some(({ bytes }) => bytes > 250), 'one was too large');
  await context.close();
  await network.close();
});

test('an edge that never answers gets everything, once, from the next page', async () => {
  const { network, page, end } = await behind('hang', { hang: true });
  await until('the request that hangs', () => network.met.length > 0);
  await page.reload();
  await ready(page);
  await arrived('hang', ['hang-0']);
  await end();
});
