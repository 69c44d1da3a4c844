// Capture on pages that frameworks draw: React with routes and a controlled form, and web components with shadow trees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundled, html, lab } from './support/lab.mjs';
import { launch, ready, until, visit, watching } from './support/world.mjs';

let site;
let browser;
before(async () => {
  const [react, elements] = await Promise.all([bundled('react.jsx'), bundled('elements.js')]);
  site = await lab({
    '/react': html('<div id="root"></div><script src="/react.js"></script>'),
    '/elements': html('<lab-shop></lab-shop><script src="/elements.js"></script>'),
    '/react.js': react,
    '/elements.js': elements,
    '/target': html('Target'),
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

async function opened(path) {
  const { context, page } = await visit(browser);
  const begun = (await site.lines()).length;
  const watched = watching(page);
  await page.goto(site.url + path);
  await ready(page);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  await watched;
  const names = ['page', 'marked', 'link_click', 'button_click', 'form_start', 'form_submit', 'form_abandon'];
  const events = () => until('the events', async () => {
    await page.evaluate(() => selvedge.flush());
    const lines = (await site.lines(begun)).filter(({ name }) => names.includes(name));
    return lines.some(({ name }) => name === 'form_submit') && lines.map(({ name, properties }) => [name, properties]);
  });
  return { context, page, events };
}

test('a page of React: routes, marked buttons and a controlled form', async () => {
  const { context, page, events } = await opened('/react');
  await page.click('#marked');
  await page.click('#next');
  await page.fill('[name=email]', 'jane@shop.test');
  await page.click('#send');
  await page.waitForSelector('#thanks');
  const found = await events();
  assert.deepEqual(found.map(([name]) => name), ['page', 'marked', 'link_click', 'page', 'form_start', 'button_click', 'form_submit']);
  assert.deepEqual(found[1][1], { count: 2, sku: '0042' });
  assert.equal(found[3][1].path, '/react/next');
  assert.equal(found[3][1].title, 'Next');
  assert.deepEqual(found.at(-1)[1], { form: 'newsletter', fields: ['email'] });
  assert.doesNotMatch(JSON.stringify(found), /jane/);
  await context.close();
});

test('web components: clicks, links and forms in open shadow trees, and what is private in them', async () => {
  const { context, page, events } = await opened('/elements');
  await page.click('#hidden');
  await page.click('#mark b');
  await page.click('#link');
  await page.fill('#email', 'jane@shop.test');
  await page.click('#send');
  const found = await events();
  assert.deepEqual(found.map(([name]) => name), ['page', 'marked', 'link_click', 'form_start', 'button_click', 'form_submit']);
  assert.deepEqual(found[1][1], { count: 3 });
  assert.ok(found[2][1].url.endsWith('/target'));
  assert.deepEqual(found.at(-1)[1], { form: 'inner', fields: ['email'] });
  assert.doesNotMatch(JSON.stringify(found), /jane|Jane|secret/);
  await context.close();
});

test('a form in a shadow tree that is left is told with the page', async () => {
  const { context, page } = await opened('/elements');
  const begun = (await site.lines()).length;
  await page.fill('#email', 'jane@shop.test');
  await page.goto(`${site.url}/target`);
  const left = await until('the form', async () => (await site.lines(begun)).find(({ name }) => name === 'form_abandon'));
  assert.deepEqual(left.properties, { form: 'inner', field: 'email', fields: ['email'] });
  await context.close();
});
