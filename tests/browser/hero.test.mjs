// The first journey: two shoe views from paid traffic change the hero in the same round trip; a third impression is capped.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, log, pass, picture, ready, serve, until, visit } from './support/world.mjs';

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

const hero = (page) => page.textContent('[data-selvedge-slot="hero"]');
const isBanner = async (page) => /ship free/i.test(await hero(page));
const home = (page) => page.click('a[href="/"]');

/** Looks at the nth shoe of the shelf, by clicks alone. */
async function lookAtShoe(page, nth) {
  await page.click('a[href="/c/shoes"]');
  await page.waitForSelector('h1:has-text("Shoes")');
  await page.locator('a.card-link').nth(nth).click();
  await page.waitForSelector('a.card-link, [data-action="add"], form');
}

/** The exposures of the rule in the log. They are not urgent: the page is asked to send what it has. */
const exposures = async (page, visitor) => {
  await page.evaluate(() => selvedge.flush());
  return (await log(site)).filter((line) => line.visitor === visitor && line.type === 'exposure' && line.properties.rule === 'free-shipping-hero');
};

test('two shoe views from a paid ad show free shipping, and the third impression is capped', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads&utm_campaign=spring`);
  await ready(page);
  await page.click('[data-consent="all"]');
  assert.equal(await isBanner(page), false);
  await picture(page, 'hero-before');
  await lookAtShoe(page, 0);
  await lookAtShoe(page, 1);
  await home(page);
  await until('the banner in the hero', () => isBanner(page));
  await picture(page, 'hero-free-shipping');
  const views = await until('both views in the log', async () => {
    const lines = (await log(site)).filter(({ name, properties }) => name === 'product_view' && properties.category === 'shoes');
    return lines.length >= 2 && lines;
  });
  const { visitor } = views[0];
  assert.ok(views.every((line) => line.valid && line.visitor === visitor));

  await until('the first exposure', async () => (await exposures(page, visitor)).length > 0);
  // Out of view and in it again, for longer than it takes to be seen: it is the same page view.
  await page.evaluate(() => scrollTo(0, 99_999));
  await pass(page, 200);
  await page.evaluate(() => scrollTo(0, 0));
  await pass(page, 1_600);
  assert.equal((await exposures(page, visitor)).length, 1, 'once a page view');
  await page.reload();
  await ready(page);
  await until('the banner on the next page', () => isBanner(page));
  await until('the second exposure', async () => (await exposures(page, visitor)).length === 2);
  await page.reload();
  await ready(page);
  await page.waitForTimeout(2_500);
  assert.equal(await isBanner(page), false, 'a third impression in the session is capped');
  await picture(page, 'hero-capped');
  assert.equal((await exposures(page, visitor)).length, 2);
  await context.close();
});

test('an exposure counts only what was really seen', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/?utm_medium=cpc&utm_source=ads`);
  await ready(page);
  await page.click('[data-consent="all"]');
  await lookAtShoe(page, 0);
  await lookAtShoe(page, 1);
  await home(page);
  await until('the banner', () => isBanner(page));
  await page.click('a[href="/c/shoes"]');
  await page.evaluate(() => selvedge.flush());
  await page.waitForTimeout(1_500);
  const mine = (await log(site)).filter(({ type }) => type === 'exposure');
  const { visitor } = (await log(site)).findLast(({ name }) => name === 'product_view');
  assert.equal(mine.filter((line) => line.visitor === visitor).length, 0, 'it stood there for less than a second');
  await context.close();
});

test('a visitor from elsewhere never sees it', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/`);
  await ready(page);
  await page.click('[data-consent="all"]');
  await lookAtShoe(page, 0);
  await lookAtShoe(page, 1);
  await home(page);
  await page.waitForTimeout(1_500);
  assert.equal(await isBanner(page), false);
  await context.close();
});
