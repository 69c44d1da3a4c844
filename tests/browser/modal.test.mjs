// A content in a modal, for who uses the keyboard or hears the page: the focus goes in, stays there, Escape puts it away, and the focus is
// where it was. It is the shop's own dialog around a slot: what it shows is a rule's, how it behaves is the site's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { finds } from './support/axe.mjs';
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

/** Somebody new who has looked at three shoes on six pages: the fourth makes the rule of the newsletter hold. */
async function almostThere(options) {
  const { context, page } = await visit(browser, options);
  await page.goto(`${site.url}/`);
  await ready(page);
  await page.click('[data-consent="all"]');
  for (let nth = 0; nth < 3; nth += 1) {
    await page.click('.shelves a[href="/c/shoes"]');
    await page.waitForSelector('h1:has-text("Shoes")');
    await page.locator('a.card-link').nth(nth).click();
    await page.waitForSelector('[data-action="add-to-cart"]');
  }
  const modal = page.locator('#modal');
  assert.equal(await modal.isVisible(), false);
  return { context, page, modal };
}

const fourth = (page) => page.evaluate(() => selvedge.track('product_view', { sku: 'NG-1004', category: 'shoes', value: 149, currency: 'EUR' }));
/** What has the focus: its label, name or text, and whether that is inside of the dialog (or nowhere in the page). */
const focus = (page) => page.evaluate(() => {
  const { activeElement: found, body } = document;
  return { label: found.getAttribute('aria-label') ?? found.textContent.trim(), isInside: found === body || !!found.closest('dialog') };
});

test('the focus goes into a modal, stays in it, and after Escape is where it was', async () => {
  const { context, page, modal } = await almostThere();
  await page.focus('input[type="search"]');
  await fourth(page);
  await modal.waitFor({ state: 'visible' });
  assert.match(await modal.textContent(), /Trail notes, twice a month/);
  assert.deepEqual(await focus(page), { label: 'Close', isInside: true });
  const met = [];
  for (const key of ['Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab']) {
    await page.keyboard.press(key);
    met.push(await focus(page));
  }
  assert.deepEqual(met.filter(({ isInside }) => !isInside), [], 'behind it nothing can be reached');
  assert.ok(met.some(({ label }) => label === 'Close'), 'and it does not get lost');
  await page.keyboard.type('boots');
  assert.equal(await page.inputValue('input[type="search"]'), '', 'nor typed into');
  await picture(page, 'modal');
  await page.keyboard.press('Escape');
  await modal.waitFor({ state: 'hidden' });
  assert.deepEqual(await focus(page), { label: 'Search the shop', isInside: false });
  await page.keyboard.type('boots');
  assert.equal(await page.inputValue('input[type="search"]'), 'boots');
  await context.close();
});

test('a modal that was put away stays away, is closed by its button too, and was seen once', async () => {
  const { context, page, modal } = await almostThere();
  await fourth(page);
  await modal.waitFor({ state: 'visible' });
  await pass(page, 1_600);
  await page.keyboard.press('Enter');
  await modal.waitFor({ state: 'hidden' });
  // What it shows is written once more, as a page that draws itself anew has it.
  const isFilled = await modal.locator('.modal-slot').evaluate((slot) => slot.append('') || slot.textContent !== '');
  assert.deepEqual([isFilled, await modal.isVisible()], [true, false]);
  await page.click('.shelves a[href="/c/jackets"]');
  await page.waitForSelector('h1:has-text("Jackets")');
  await fourth(page);
  await page.evaluate(() => selvedge.flush());
  await pass(page, 1_600);
  assert.equal(await modal.isVisible(), false);
  const seen = await until('the exposure', async () => {
    await page.evaluate(() => selvedge.flush());
    const found = (await log(site)).filter(({ type, properties }) => type === 'exposure' && properties.rule === 'newsletter-modal');
    return found.length > 0 && found;
  });
  const { visitor } = seen.at(-1);
  assert.equal(seen.filter((line) => line.visitor === visitor).length, 1);
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing while a modal is open, ${colorScheme}`, async () => {
    const { context, page, modal } = await almostThere({ colorScheme, reducedMotion: 'reduce' });
    await fourth(page);
    await modal.waitFor({ state: 'visible' });
    assert.deepEqual(await finds(page), []);
    await context.close();
  });
}
