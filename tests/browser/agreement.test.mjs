// Invariant 5 in Chromium: the recorded journeys give the same lines as natively and in the worker, byte for byte, and so do
// random visitors of random sites.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { launch, repository } from './support/world.mjs';

const fixture = (name) => readFileSync(`${repository}tests/fixtures/${name}`);
/** The folder of the program and its lines, and that of the journey. */
const cases = [
  ['journey', 'journey'],
  ['everything/values', 'everything'],
  ['everything/deciding', 'everything'],
];
const probe = process.env.SELVEDGE_PROBE ?? `${repository}target/probe`;

const randomSites = process.env.SELVEDGE_RANDOM_SITES ?? `${repository}target/debug/random_sites`;

const TYPES = { js: 'text/javascript', wasm: 'application/wasm', json: 'application/json' };

/** Serves the probe and the fixtures to the page, from one origin. */
function serveProbe() {
  const server = createServer((request, response) => {
    const name = request.url.slice(1);
    if (name === '') return response.end('<!doctype html><title>probe</title><link rel=icon href=data:,>');
    const body = name.startsWith('probe') ? readFileSync(`${probe}/${name}`) : fixture(name);
    response.setHeader('content-type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
    return response.end(body);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

let server;
let browser;
let page;
before(async () => {
  server = await serveProbe();
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** The lines of a program over a journey, worked out in the page. */
const run = (folder, journey) => page.evaluate(async ([folder, journey]) => {
  const { default: start, at_the_edge, in_the_page } = await import('/probe.js');
  await start('/probe_bg.wasm');
  const bytes = async (name) => new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());
  const files = [`${folder}/full.program`, `${folder}/public.program`, `${journey}/batches.json`];
  const [full, open, batches] = await Promise.all(files.map(bytes));
  return { edge: at_the_edge(full, batches), page: in_the_page(full, open, batches) };
}, [folder, journey]);

for (const [folder, journey] of cases) {
  test(`the lines of ${folder} are those that were recorded`, async () => {
    const lines = await run(folder, journey);
    assert.equal(lines.edge, fixture(`${folder}/edge.txt`).toString());
    assert.equal(lines.page, fixture(`${folder}/page.txt`).toString());
  });
}

/** The lines of each visitor of a site, worked out in the page. */
const runSite = (site) => page.evaluate(async ({ full, public: open, visitors }) => {
  const { default: start, at_the_edge, in_the_page } = await import('/probe.js');
  await start('/probe_bg.wasm');
  const programs = [full, open].map((bytes) => new Uint8Array(bytes));
  return visitors.map(({ batches }) => {
    const journey = new TextEncoder().encode(batches);
    return { edge: at_the_edge(programs[0], journey), page: in_the_page(...programs, journey) };
  });
}, site);

test('the lines of random visitors of random sites are those that are said natively', async () => {
  const child = spawn(randomSites, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  let events = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const site = JSON.parse(line);
    const lines = await runSite(site);
    for (const [at, { batches, edge, page }] of site.visitors.entries()) {
      const said = `site ${site.seed}, visitor ${at}`;
      assert.equal(lines[at].edge, edge, said);
      assert.equal(lines[at].page, page, said);
      const sent = JSON.parse(batches);
      assert.equal(edge.split('\n').length, sent.length + 1, said);
      events += sent.flatMap((batch) => batch.events).length;
    }
  }
  assert.equal(await ended, 0);
  assert(events > 1_500, `only ${events} events`);
});
