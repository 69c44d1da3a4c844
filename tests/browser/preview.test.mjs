// A preview in the page: a token of `selvedge preview` in the address, a worker that knows the secret, an overlay that says why. The
// overlay and the shop have nothing that axe finds, and can be used without a mouse.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { finds } from './support/axe.mjs';
import { launch, log, picture, ready, serve, stored, until, visit } from './support/world.mjs';

const SECRET = 'only the deployment and the marketer know it';

let site;
let browser;
before(async () => {
  site = await serve({ SELVEDGE_BINDINGS: JSON.stringify({ PREVIEW_SECRET: SECRET }) });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** A token as the command line makes it (crates/selvedge-edge/src/preview.rs). */
function token(more = {}, secret = SECRET) {
  const payload = Buffer.from(JSON.stringify({ site: 'shop', expires_ms: Date.now() + 3_600_000, ...more }));
  const mac = createHmac('sha256', secret).update('selvedge preview v1.').update(payload).digest('hex');
  return `${payload.toString('hex')}.${mac}`;
}

/** The shop with this token in its address, until the overlay stands. */
async function preview(more, { path = '/', query = '', secret = SECRET, options = {} } = {}) {
  const seen = await visit(browser, options);
  await seen.page.goto(`${site.url}${path}?selvedge_preview=${token(more, secret)}${query}`);
  await seen.page.waitForSelector('selvedge-preview >> section');
  await seen.page.waitForFunction(() => document.querySelector('selvedge-preview').shadowRoot.querySelector('.bar span').textContent);
  return seen;
}

const overlay = (page) => page.locator('selvedge-preview section');
const of = (page, slot) => overlay(page).locator('article', { has: page.locator(`h2:text-is("${slot}")`) });

test('the holder of a token sees a draft and why, and nobody hears of it', async () => {
  const before = (await log(site)).length;
  const { context, page, requests } = await preview({ rules: ['*'] }, { query: '&utm_medium=cpc&utm_campaign=summer-boots' });
  assert.ok(!page.url().includes('selvedge_preview') && page.url().includes('utm_medium=cpc'), 'the token leaves the address');
  const hero = of(page, 'hero');
  await hero.locator('text=no rule has the slot').waitFor();
  assert.match(await hero.textContent(), /Nearest: free-shipping-hero, which lacks 1 test\./);
  await hero.locator('summary').click();
  const why = await hero.locator('li', { hasText: 'free-shipping-hero' }).first().textContent();
  assert.match(why, /Its condition does not hold/);
  assert.match(why, /✗ fails shoe_views >= 2 is 0 \(rules\.yaml:\d+\)/);
  assert.match(why, /✓ holds .*is "cpc"/);
  assert.match(await overlay(page).textContent(), /as somebody new would see it, until .*Nothing is recorded/);
  await picture(page, 'preview');
  assert.deepEqual(await finds(page), []);

  await page.click('[data-consent="all"]');
  await page.evaluate(() => selvedge.identify('u-17', { loyalty_tier: 'gold' }));
  await page.click('a[href="/c/shoes"]');
  await page.waitForTimeout(1_500);
  await page.evaluate(() => selvedge.flush());
  assert.deepEqual(requests.filter(({ url }) => /collect/.test(url)), []);
  assert.equal((await log(site)).length, before, 'no event, no exposure');
  const { local } = await stored(page);
  assert.deepEqual(local.filter((key) => key.startsWith('selvedge.')), [], 'no state, no id');
  await context.close();
});

test('what happens in a preview puts nothing back and is told to nobody', async () => {
  const before = (await log(site)).length;
  const { context, page, requests } = await preview({ rules: ['*'] }, { path: '/promo/summer', query: '&utm_campaign=summer-boots' });
  const modal = page.locator('[data-selvedge-slot="modal"]');
  await page.waitForFunction(() => document.querySelector('[data-selvedge-slot="modal"] img'));
  const draft = await modal.innerHTML();
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  for (const act of ['track', 'ecommerce', 'identify', 'flush']) {
    await page.evaluate((act) => {
      if (act === 'track') selvedge.track('search', { query: 'boots', results: 0 });
      if (act === 'ecommerce') selvedge.ecommerce('add_to_cart', { items: [{ item_id: 'NG-1', price: 10, quantity: 1 }] });
      if (act === 'identify') selvedge.identify('u-17', { loyalty_tier: 'gold' });
      selvedge.flush();
    }, act);
    // Longer than it takes to be seen, and to be sent.
    await page.waitForTimeout(1_300);
    assert.equal(await modal.innerHTML(), draft, `after ${act}`);
  }
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.goto('about:blank');
  assert.deepEqual(requests.filter(({ url }) => /collect/.test(url)), [], 'no event, no exposure');
  assert.equal((await log(site)).length, before);
  await context.close();
});

test('a link in a modal leads on, and the modal does not stand before the next page', async () => {
  const { context, page } = await preview({ rules: ['*'] }, { path: '/promo/summer', query: '&utm_campaign=summer-boots' });
  const modal = page.locator('#modal');
  await modal.locator('a[href="/promo/spring"]').waitFor();
  await modal.locator('a').focus();
  assert.deepEqual(await finds(page), []);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.pathname === '/promo/spring');
  assert.equal(await modal.isVisible(), false);
  await context.close();
});

test('a variant is forced and let go, and the tab remembers until the preview is left', async () => {
  const { context, page } = await preview({ rules: ['*'] });
  const inbox = of(page, 'inbox');
  const select = inbox.locator('select');
  assert.deepEqual(await select.locator('option').allTextContents(), ['as it is drawn', 'cart-discount/control', 'cart-discount/ten_percent', 'cart-discount/free_shipping']);
  const asked = page.waitForRequest((request) => /decide/.test(request.url()) && /free_shipping/.test(request.postData()));
  await select.focus();
  await select.evaluate((before) => before.setAttribute('data-before', ''));
  await select.selectOption('cart-discount/free_shipping');
  assert.deepEqual(JSON.parse((await asked).postData()).variants, ['cart-discount/free_shipping']);
  await until('the overlay, drawn anew', async () => !(await overlay(page).locator('[data-before]').count()));
  assert.equal(await page.evaluate(() => document.querySelector('selvedge-preview').shadowRoot.activeElement?.id), 'variant-inbox-cart-discount', 'the focus stays');
  await page.reload();
  await page.waitForSelector('selvedge-preview >> select');
  assert.equal(await select.inputValue(), 'cart-discount/free_shipping');
  await overlay(page).locator('#leave').click();
  await ready(page);
  assert.equal(await page.locator('selvedge-preview').count(), 0);
  assert.deepEqual((await stored(page)).session.filter((key) => key.startsWith('selvedge.')), []);
  await context.close();
});

test('a token that is worth nothing shows what stands there, and says so', async () => {
  for (const [more, secret, told] of [
    [{}, 'guessed', /refused: signature/],
    [{ expires_ms: Date.now() - 1 }, SECRET, /refused: expired/],
    [{ site: 'other' }, SECRET, /refused: another_site/],
  ]) {
    const { context, page } = await preview(more, { secret });
    assert.match(await overlay(page).locator('[role=alert]').textContent(), told);
    assert.deepEqual(await finds(page), []);
    await context.close();
  }
});

test('a page without a token is told nothing', async () => {
  const body = JSON.stringify({ write_key: 'wk_shop_browser', visitor: '00'.repeat(16) });
  const answer = await fetch(`${site.url}/v1/decide`, { method: 'POST', body, headers: { origin: site.url } });
  assert.equal(answer.status, 401);
});

test('without a mouse: tab, fold, unfold, escape', async () => {
  const { context, page } = await preview({ rules: ['*'] });
  const focused = () => page.evaluate(() => {
    const { activeElement } = document.querySelector('selvedge-preview').shadowRoot;
    return activeElement && (activeElement.id || activeElement.className || activeElement.localName);
  });
  await page.locator('selvedge-preview .bar').focus();
  const met = [];
  for (let press = 0; press < 12; press++) {
    met.push(await focused());
    await page.keyboard.press('Tab');
  }
  for (const wanted of ['bar', 'find-hero', 'summary', 'find-banner', 'variant-inbox-cart-discount', 'leave']) assert.ok(met.includes(wanted), `${wanted} of ${met}`);
  await page.locator('selvedge-preview #find-banner').focus();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('selvedge-preview .panel').isHidden(), true);
  assert.deepEqual([await focused(), await page.getAttribute('selvedge-preview >> .bar', 'aria-expanded')], ['bar', 'false']);
  assert.deepEqual(await finds(page), []);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('selvedge-preview .panel').isVisible(), true);
  await context.close();
});

test('the overlay can be read on a page that is dark', async () => {
  const { context, page } = await preview({ rules: ['*'] }, { options: { colorScheme: 'dark', viewport: { width: 375, height: 760 } } });
  await of(page, 'inbox').locator('summary').click();
  assert.deepEqual(await finds(page), []);
  // What the browser draws itself is none of what axe looks at.
  const drawn = await overlay(page).locator('select').evaluate((select) => getComputedStyle(select).backgroundColor);
  assert.equal(drawn, 'rgb(255, 255, 255)', 'dark words stand on it');
  await picture(page, 'preview-dark');
  await context.close();
});

test('the shop works without a mouse, and shows where the focus is', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/`);
  await ready(page);
  /** Tabs on until the focus is on such an element, which must show it, and presses a key there. */
  const press = async (selector, key = 'Enter') => {
    await page.waitForSelector(selector);
    const isThere = () => page.evaluate((selector) => document.activeElement.matches(selector), selector);
    for (let tabs = 0; !(await isThere()); tabs += 1) {
      assert.ok(tabs < 80, `${selector} cannot be reached by the tab key`);
      await page.keyboard.press('Tab');
    }
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', `the focus on ${selector} cannot be seen`);
    await page.keyboard.press(key);
  };
  await press('[data-consent="all"]');
  assert.ok(await page.evaluate(() => selvedge.consent().analytics));
  await press('.shelves a[href="/c/shoes"]');
  await page.waitForSelector('h1:has-text("Shoes")');
  await press('a.card-link');
  await press('[data-action="add-to-cart"]');
  await page.waitForFunction(() => document.querySelector('[data-part="cart-count"]').textContent === '1');
  await press('[data-part="cart-link"]');
  await page.waitForFunction(() => location.pathname === '/cart');
  await press('[data-action="quantity"]:nth-of-type(2)', 'Space');
  await page.waitForFunction(() => document.querySelector('[data-part="cart-count"]').textContent === '2');
  await context.close();
});

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing in the shop, ${scheme}`, { timeout: 180_000 }, async () => {
    const { context, page } = await visit(browser, { colorScheme: scheme, reducedMotion: 'reduce' });
    const found = [];
    for (const path of ['/', '/c/shoes', '/cart', '/support', '/account', '/search?q=boots']) {
      await page.goto(`${site.url}${path}`);
      await ready(page);
      found.push(...(await finds(page)).map((finding) => `${path} ${finding}`));
      const consent = page.locator('[data-consent="all"]');
      if (path === '/' && (await consent.count())) await consent.click();
    }
    assert.deepEqual(found, []);
    await context.close();
  });
}
