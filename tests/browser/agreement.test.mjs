// Invariant 5 in Chromium: the recorded journey gives the same lines as natively and in the worker, byte for byte.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, repository } from './support/world.mjs';

const journey = (name) => readFileSync(`${repository}tests/fixtures/journey/${name}`);
const probe = process.env.SELVEDGE_PROBE ?? `${repository}target/probe`;

const TYPES = { js: 'text/javascript', wasm: 'application/wasm', json: 'application/json' };

/** Serves the probe and the journey to the page, from one origin. */
function serveProbe() {
  const server = createServer((request, response) => {
    const name = request.url.split('/').at(-1);
    if (name === '') return response.end('<!doctype html><title>probe</title><link rel=icon href=data:,>');
    const body = name.startsWith('probe') ? readFileSync(`${probe}/${name}`) : journey(name);
    response.setHeader('content-type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
    return response.end(body);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

let server;
let browser;
let lines;
before(async () => {
  server = await serveProbe();
  browser = await launch();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  lines = await page.evaluate(async () => {
    const { default: start, at_the_edge, in_the_page } = await import('/probe.js');
    await start('/probe_bg.wasm');
    const bytes = async (name) => new Uint8Array(await (await fetch(`/${name}`)).arrayBuffer());
    const [full, open, batches] = await Promise.all(['full.program', 'public.program', 'batches.json'].map(bytes));
    return { edge: at_the_edge(full, batches), page: in_the_page(full, open, batches) };
  });
});
after(async () => {
  await browser?.close();
  server?.close();
});

for (const [what, name] of [['edge', 'edge.txt'], ['page', 'page.txt']]) {
  test(`the ${what}'s lines are those that were recorded`, () => {
    assert.equal(lines[what], journey(name).toString());
  });
}
