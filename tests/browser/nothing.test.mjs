// docs/site.md from nothing: the site that `selvedge new` writes, the page of the docs on another origin than the edge, word for word but
// for the addresses, and what the docs say is to be seen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { examples } from '../consumers/build.mjs';
import { serveCopy } from './support/copy.mjs';
import { beside } from './support/site.mjs';
import { launch, log, pass, stored, until, visit } from './support/world.mjs';

const [origins] = examples('yaml nothing');
const [page] = examples('html nothing');
/** What the docs call so, and only the test's own servers do not. */
const [EDGE, ORIGIN] = ['http://127.0.0.1:8787', 'http://localhost:8000'];

let browser;
let site;
let app;
before(async () => {
  site = await serveCopy({}, 'crates/selvedge-cli/templates');
  browser = await launch();
  app = await beside(site.url, (path) => (path === '/' ? { body: page.replace(EDGE, site.url) } : { status: 404 }));
});
after(async () => {
  await app?.close();
  await browser?.close();
  await site?.close();
});

/** Publishes the new site with these lines at its end. */
const publish = (lines) => site.write('site.yaml', `${site.original('site.yaml')}\n${lines}\n`);

/** The page in a browser, and what it shows. */
async function open() {
  const { context, page, requests } = await visit(browser);
  await page.goto(app.url.replace('127.0.0.1', 'localhost'));
  const shows = (text) => page.waitForFunction((text) => document.querySelector('h1').textContent.includes(text), text);
  await shows('Good to see you.');
  return { context, page, requests, shows };
}

test('the four steps lead to a slot that a rule has, on a page of another origin', async () => {
  await publish(origins.replace(ORIGIN, app.url.replace('127.0.0.1', 'localhost')));
  const { context, page, requests, shows } = await open();
  await page.click('text=Look at a shoe');
  await pass(page, 300);
  assert.deepEqual((await stored(page)).local, []);
  assert.deepEqual(requests.filter(({ method }) => method !== 'GET'), []);
  await page.click('text=I agree');
  await page.click('text=Look at a shoe');
  await shows('Free shipping on all shoes today.');
  const lines = await until('the events', async () => {
    await page.evaluate(() => selvedge.flush());
    const found = (await log(site)).filter(({ name }) => name === 'product_view');
    return found.length === 2 && found;
  });
  assert.deepEqual(lines.map(({ valid, properties }) => [valid, properties.category]), [[true, 'shoes'], [true, 'shoes']]);
  await context.close();
});

test('an origin that the site does not name is refused, as the docs say, and the page stays as it is', async () => {
  await publish('');
  const { context, page } = await open();
  const told = [];
  page.on('console', (message) => told.push(message.text()));
  await page.click('text=I agree');
  await page.click('text=Look at a shoe');
  await page.evaluate(() => selvedge.flush());
  await until('the console', () => told.some((text) => /collect.*blocked by CORS policy/.test(text)));
  assert.match(await page.textContent('h1'), /Good to see you/);
  await context.close();
});
