// A marketer publishes; the page that is open follows, without a click and without a restart.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serveCopy } from './support/copy.mjs';
import { beside } from './support/site.mjs';
import { launch, ready, until, visit } from './support/world.mjs';

let site;
let browser;
before(async () => {
  site = await serveCopy({ SELVEDGE_BINDINGS: JSON.stringify({ CONFIG_REFRESH_MS: '500' }) });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Saves the contents with one text in place of another, and publishes; gives what is wrong with it. */
async function edit(from, to) {
  const text = site.read('content.yaml');
  assert.ok(text.includes(from), from);
  return site.save('content.yaml', text.replace(from, to));
}

const banner = (page) => page.textContent('[data-selvedge-slot="banner"]');
const shows = (page, text) => until(text, async () => (await banner(page)).includes(text));
/**
 * The shop as a visitor has it who has agreed. Once `isDeaf` is set, the collector does not answer: its answers name the program, and a page that
 * has something to tell would hear of a new one so. Only where they are missing is it the config, fetched anew, that says it. (A
 * route of the browser's driver would not do: it switches the browser's cache off.)
 */
async function open() {
  const network = { isDeaf: false };
  const app = await beside(site.url, (path) => (network.isDeaf && path === '/v1/collect' ? { status: 503 } : undefined));
  const { context, page } = await visit(browser);
  await page.goto(`${app.url}/`);
  await ready(page);
  await page.click('[data-consent="all"]');
  await shows(page, 'Sixty days');
  network.isDeaf = true;
  return { page, url: app.url, close: () => context.close().then(app.close) };
}

test('an open page shows what was published, and a broken file leaves it as it was', async () => {
  const { page, close } = await open();
  await edit('Sixty days', 'Ninety days');
  await shows(page, 'Ninety days');
  await edit('Ninety days', 'A hundred days');
  await shows(page, 'A hundred days');

  const refused = await edit('A hundred days', 'Eighty days: [');
  assert.match(refused, /E0\d{3}/, 'the diagnostic says what is wrong');
  await page.waitForTimeout(1_200);
  assert.match(await banner(page), /A hundred days/, 'the old program stays');
  await edit('Eighty days: [', 'Sixty days');
  await shows(page, 'Sixty days');
  await close();
});

test('the next page has what was published a moment ago, though the browser may keep a config for seconds', async () => {
  const { page, url, close } = await open();
  await page.goto('about:blank');
  await edit('Sixty days', 'Seventy days');
  const asked = page.waitForResponse(/\/config/);
  const begun = Date.now();
  await page.goto(`${url}/`);
  const { publish } = await (await asked).json();
  const { publish: published } = await (await fetch((await asked).url())).json();
  assert.ok(Date.now() - begun < 5_000, 'within the time that the config may be kept');
  assert.equal(publish, published);
  await close();
});
