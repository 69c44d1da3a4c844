// What visitors do with a content is recorded where the site asks for it: a click on a link or button in a slot that a rule holds,
// and that it was put away. What the page has there by itself is no content.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveCopy } from './support/copy.mjs';
import { beside, page as html } from './support/site.mjs';
import { launch, log, ready, until, visit } from './support/world.mjs';

const HERO = `<a href="#own"><h1 data-selvedge-slot="hero">The page's own</h1></a>`;
const OWN = `<section data-selvedge-slot="hero" data-selvedge-own><p>Only words</p><a id="more" href="#more">More</a>
  <button id="away" data-selvedge-dismiss>No, thanks</button></section>`;
const ACTS = ['exposure_click', 'exposure_dismiss'];

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

/** Publishes the shop with or without the switch. */
async function publish(isOn) {
  const text = site.original('site.yaml');
  assert.match(text, /^capture:\n/m);
  await site.write('site.yaml', isOn ? text.replace(/^capture:\n/m, 'capture:\n  contents: true\n') : text);
}

/** A page with that body, and the acts on contents that the log has once its mark is there. */
async function open(body) {
  const app = await beside(site.url, { '/': { body: html(body) } });
  const { context, page } = await visit(browser);
  const from = (await log(site)).length;
  await page.goto(app.url);
  await ready(page);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  const acts = async () => {
    await page.evaluate(() => {
      selvedge.track('search', { query: 'mark', results: 1 });
      selvedge.flush();
    });
    const lines = await until('the mark', async () => {
      const found = (await log(site)).slice(from);
      return found.some(({ properties }) => properties.query === 'mark') && found;
    });
    return lines.filter(({ name }) => ACTS.includes(name)).map(({ name, properties, valid }) => [name, properties, valid]);
  };
  const gold = async () => {
    await page.evaluate(() => selvedge.identify('u-17', { loyalty_tier: 'gold' }));
    await until('the decision', () => page.evaluate(() => selvedge.decisions().some(({ rule }) => rule === 'gold-hero')));
  };
  return { page, acts, gold, close: () => context.close().then(app.close) };
}

const OF_GOLD = { rule: 'gold-hero', slot: 'hero' };

test('a click on what a rule shows is recorded, and none on what the page has by itself', async () => {
  await publish(true);
  const { page, acts, gold, close } = await open(HERO);
  await page.evaluate(() => document.addEventListener('click', (event) => event.preventDefault()));
  await page.click('[data-selvedge-slot="hero"]');
  await gold();
  await page.waitForFunction(() => /Gold/.test(document.querySelector('[data-selvedge-slot]').textContent));
  await page.click('[data-selvedge-slot="hero"] a');
  assert.deepEqual(await acts(), [['exposure_click', OF_GOLD, true]]);
  await close();
});

test('in a slot that the site renders: a click, a dismissal, and nothing of a click on mere words', async () => {
  await publish(true);
  const { page, acts, gold, close } = await open(OWN);
  await gold();
  await page.click('p');
  await page.click('#more');
  await page.click('#away');
  assert.deepEqual(await acts(), [['exposure_click', OF_GOLD, true], ['exposure_dismiss', OF_GOLD, true]]);
  await close();
});

test('where neither the site nor a rule asks for it, it is not recorded', async () => {
  await publish(false);
  const { page, acts, gold, close } = await open(OWN);
  await gold();
  await page.click('#more');
  await page.click('#away');
  assert.deepEqual(await acts(), []);
  await close();
});
