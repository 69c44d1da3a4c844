// A marketer publishes; the page that is open follows, without a click and without a restart.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, ready, repository, serve, until, visit } from './support/world.mjs';

let site;
let browser;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'selvedge-site-'));
  cpSync(`${repository}examples/shop`, folder, { recursive: true });
  site = await serve({ SELVEDGE_SITE: folder, SELVEDGE_BINDINGS: JSON.stringify({ CONFIG_REFRESH_MS: '500' }) });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Saves the file with one text in place of another, and publishes. */
async function edit(file, from, to) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  assert.ok(text.includes(from), `${file} holds ${from}`);
  writeFileSync(path, text.replace(from, to));
  return site.publish();
}

test('an open page shows what was published, and a broken file leaves it as it was', async () => {
  const { context, page } = await visit(browser);
  await page.goto(`${site.url}/`);
  await ready(page);
  await page.click('[data-consent="all"]');
  const banner = () => page.textContent('[data-selvedge-slot="banner"]');
  await until('the first banner', async () => (await banner()).includes('Sixty days'));
  await edit('content.yaml', 'Sixty days', 'Ninety days');
  await until('the new banner', async () => (await banner()).includes('Ninety days'));
  await page.evaluate(() => selvedge.track('search', { query: 'the page still counts' }));

  const refused = await edit('content.yaml', 'Ninety days', 'Ninety days: [');
  assert.match(refused.error, /E0\d{3}/, 'the diagnostic says what is wrong');
  await page.waitForTimeout(1_200);
  assert.ok((await banner()).includes('Ninety days'), 'the old program stays');
  await context.close();
});
