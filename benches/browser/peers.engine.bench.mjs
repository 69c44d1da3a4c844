// The same ten rules in Selvedge, in other engines and as a `match`, all of them one wasm module in one page: nanoseconds a
// rule and microseconds an event, against 10 to 10,000 rules. All must say the same of every rule for 64 visitors before any
// is measured. What each engine is, and what its event includes, `benches/peers` says.
import assert from 'node:assert/strict';
import { launch, repository } from '../../tests/browser/support/world.mjs';
import { print } from './support/figures.mjs';
import { isolated } from './support/isolated.mjs';

const peers = process.env.SELVEDGE_PEERS ?? `${repository}target/peers_page`;
const browser = await launch();
const { page, close } = await isolated(browser, {
  '/peers.js': `${peers}/peers_page.js`,
  '/peers_bg.wasm': `${peers}/peers_page_bg.wasm`,
  '/figures.mjs': `${repository}benches/browser/support/figures.mjs`,
});
try {
  for (const rules of [10, 100, 1_000, 10_000]) {
    const { truths, engines } = await page.evaluate(measure, rules);
    assert.ok(truths > 0, `${rules} rules: none was true of anybody`);
    console.error(`${rules} rules in the page: equal answers for 64 visitors, ${truths} of them true`);
    for (const { name, decide, event } of engines) {
      print(`${rules} rules, ns a rule in the page`, decide, rules, name);
      print(`${rules} rules, µs an event in the page`, event, 1_000, name);
    }
  }
} finally {
  await browser.close();
  close();
}

/** Runs in the page. */
async function measure(rules) {
  const [{ default: start, PeersBench }, { sample }] = await Promise.all(
    ['/peers.js', '/figures.mjs'].map((module) => import(module)),
  );
  await start('/peers_bg.wasm');
  const bench = PeersBench.of(rules);
  const truths = bench.check();
  const engines = PeersBench.names().map((name, at) => ({
    name,
    decide: sample((runs) => bench.decide(at, runs), 51),
    event: sample((runs) => bench.event(at, runs), 51),
  }));
  bench.free();
  return { truths, engines };
}
