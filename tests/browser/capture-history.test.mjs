// Page views that a browser keeps or renders ahead: a page that comes back from the back/forward cache is one more, one that was
// rendered ahead is one when it is seen, and never where it is not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { html, lab, tag } from './support/lab.mjs';
import { FLAGS, launch, ready, until } from './support/world.mjs';

const GRANT = '<script>(window.selvedge ??= { q: [] }).q.push(["consent", [{ analytics: true, personalization: true }], Date.now()]);</script>';
const quiet = tag('data-capture="time"');
/** Tells the server what the page knows of itself. */
const report = (name) => `<script>
  const tell = (what) => fetch('/report?page=${name}&what=' + what + '&at=' + Date.now());
  addEventListener('pageshow', (event) => event.persisted && tell('restored'));
  if (document.prerendering) {
    tell('ahead');
    document.addEventListener('prerenderingchange', () => {
      tell('seen');
      setInterval(() => selvedge.flush(), 500);
    });
  }
</script>`;
const AHEAD = `<script type="speculationrules">{"prerender":[{"source":"list","urls":["/seen","/never"],"eagerness":"immediate"}]}</script>
  <script>setTimeout(() => (location.href = '/seen'), 4000);</script>`;

let site;
before(async () => {
  site = await lab({
    '/first': html(`${report('first')}First`, GRANT + quiet),
    '/second': html('Second', quiet),
    '/ahead': html(`Ahead${AHEAD}`, GRANT + quiet),
    '/seen': html(`${report('seen')}Seen`, quiet),
    '/never': html(`${report('never')}Never`, quiet),
  });
});
after(() => site?.close());

const views = async (from) => (await site.lines(from)).filter(({ name }) => name === 'page').map(({ properties, time_ms }) => [properties.path, time_ms]);

test('a page that comes back from the back/forward cache is one more page view', async (t) => {
  const browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  t.after(() => browser.close());
  const from = (await site.lines()).length;
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/first`);
  await ready(page);
  await page.evaluate(() => selvedge.flush());
  await until('the first view', async () => (await views(from)).length === 1);
  await page.goto(`${site.url}/second`);
  await ready(page);
  await page.evaluate(() => selvedge.flush());
  await until('the second view', async () => (await views(from)).length === 2);
  await page.evaluate(() => history.back()).catch(() => {});
  await until('the restored page', () => site.reports.some(({ page: name, what }) => name === 'first' && what === 'restored'));
  await page.evaluate(() => selvedge.flush());
  await until('the third view', async () => (await views(from)).length === 3);
  // It is alive: what happens on it now is captured, and nothing is counted twice.
  await page.evaluate(() => {
    selvedge.track('marked', { count: 1 });
    selvedge.flush();
  });
  await until('the mark', async () => (await site.lines(from)).some(({ name }) => name === 'marked'));
  assert.deepEqual((await views(from)).map(([path]) => path), ['/first', '/second', '/first']);
});

test('a page that is rendered ahead counts when it is seen, and only then', { timeout: 60_000 }, async () => {
  const from = (await site.lines()).length;
  const profile = mkdtempSync(join(tmpdir(), 'selvedge-prerender-'));
  // Driven by nobody: a browser that is controlled renders nothing ahead.
  const flags = [...FLAGS, '--headless=new', '--enable-features=Prerender2', `--user-data-dir=${profile}`];
  const browser = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [...flags, `${site.url}/ahead`], { stdio: 'ignore' });
  const at = (name, what) => site.reports.find((one) => one.page === name && one.what === what)?.at;
  try {
    await until('both pages, rendered ahead', () => at('seen', 'ahead') && at('never', 'ahead'), 20_000);
    const seen = Number(await until('the one that is seen', () => at('seen', 'seen'), 20_000));
    const found = await until('its view', async () => (await views(from)).length >= 2 && views(from));
    assert.deepEqual(found.map(([path]) => path), ['/ahead', '/seen']);
    assert.ok(seen - Number(at('seen', 'ahead')) > 1_000, 'it waited');
    assert.ok(Math.abs(found[1][1] - seen) < 1_000, `${found[1][1]} is not ${seen}`);
    await new Promise((done) => setTimeout(done, 1_000));
    assert.equal((await views(from)).length, 2);
  } finally {
    browser.kill('SIGKILL');
    await new Promise((done) => setTimeout(done, 300));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
