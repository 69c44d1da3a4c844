// A deadline passes in an open page: what did not happen in time changes a slot by the page's own timer, without another
// event and without a word of the edge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveCopy } from './support/copy.mjs';
import { beside, page as html } from './support/site.mjs';
import { launch, ready, visit } from './support/world.mjs';

const SHOWN = /ship free/i;
const WAIT_MS = 2_000;
/** How much later than a timer of the page's own: a machine that is busy slows both alike. */
const LATE_MS = 1_500;

let site;
let browser;
before(async () => {
  site = await serveCopy();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Publishes a rule above all others of the hero. */
const publish = (when) =>
  site.write(
    'rules.yaml',
    `${site.original('rules.yaml')}
  - id: waited-hero
    when: ${when}
    show:
      slot: hero
      content: free_shipping_banner
    priority: 99
`,
  );

/** What waits to be sent, as the device holds it. */
const queues = () => JSON.stringify(Object.entries(localStorage).filter(([key]) => /\.q\./.test(key)).sort());

/**
 * Cuts the page off from the edge, searches, and waits for the hero to change: after how long by the page's clock it did, and
 * what waited to be sent a while after the search, and at the change.
 */
async function waited(when) {
  await publish(when);
  const app = await beside(site.url, { '/': { body: html(`<h1 data-selvedge-slot="hero">The page's own</h1>`) } });
  const { context, page } = await visit(browser);
  await page.goto(app.url);
  await ready(page);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  // The edge has answered, and nothing of its own accord waits to be sent.
  await page.waitForTimeout(1_000);
  await page.evaluate(() => selvedge.flush());
  assert.doesNotMatch(await page.textContent('h1'), SHOWN);
  await context.setOffline(true);
  await page.evaluate(`globalThis.queues = ${queues}`);
  const found = await page.evaluate(
    (wait_ms) =>
      new Promise((done) => {
        const hero = document.querySelector('h1');
        const first = hero.textContent;
        const started = performance.now();
        let timer_ms;
        setTimeout(() => (timer_ms = performance.now() - started), wait_ms);
        selvedge.track('search', { query: 'boots', results: 3 });
        let atSearch;
        setTimeout(() => (atSearch = queues()), wait_ms / 2);
        const tell = () => done({ ms: performance.now() - started, timer_ms, text: hero.textContent, atSearch, atChange: queues() });
        new MutationObserver(() => hero.textContent !== first && tell()).observe(hero, { subtree: true, childList: true, characterData: true });
        setTimeout(tell, 20_000);
      }),
    WAIT_MS,
  );
  await context.close();
  await app.close();
  return found;
}

for (const when of [
  'sequence search then no purchase within 2s',
  'no search for 2s and (count search in session) >= 1',
]) {
  test(`\`${when}\` comes true in the page by its timer alone`, async () => {
    const { ms, timer_ms, text, atSearch, atChange } = await waited(when);
    assert.match(text, SHOWN);
    assert.ok(ms > WAIT_MS - 100 && ms < (timer_ms ?? ms) + LATE_MS, `shown after ${ms} ms, the timer came after ${timer_ms}`);
    assert.match(atSearch, /\.q\./, 'the search waits on the device');
    assert.equal(atChange, atSearch, 'nothing happened meanwhile');
  });
}
