// The rule engine in wasm, in Chromium: nanoseconds a rule, and one event, against 10 to 10,000 rules; opening and verifying
// a program of 1,000. The floor, in the same page: the same rules by hand in JavaScript. Both must pick the same winners
// before either is measured.
import assert from 'node:assert/strict';
import { launch, repository } from '../../tests/browser/support/world.mjs';
import { print } from './support/figures.mjs';
import { isolated } from './support/isolated.mjs';

const measured = process.env.SELVEDGE_MEASURED ?? `${repository}target/measured`;
const support = `${repository}benches/browser/support`;
const browser = await launch();
const { page, close } = await isolated(browser, {
  '/measured.js': `${measured}/measured.js`,
  '/measured_bg.wasm': `${measured}/measured_bg.wasm`,
  '/rules.mjs': `${support}/rules.mjs`,
  '/figures.mjs': `${support}/figures.mjs`,
});
try {
  for (const rules of [10, 100, 1_000, 10_000]) {
    const { winners, decide, event, open, load } = await page.evaluate(measure, rules);
    assert.deepEqual(winners.wasm, winners.javascript, `${rules} rules: the winners differ`);
    print(`rule wasm, of ${rules}`, decide.wasm, rules);
    print(`rule by hand in JavaScript, of ${rules}`, decide.javascript, rules);
    const named = `${rules.toLocaleString('en')} rules`;
    print(`event against ${named} wasm`, event.wasm, 1_000);
    print(`event against ${named} by hand in JavaScript`, event.javascript, 1_000);
    if (rules === 1_000) {
      print(`open ${named} wasm`, open, 1_000);
      print(`load ${named} wasm`, load, 1_000);
    }
  }
} finally {
  await browser.close();
  close();
}

/** Runs in the page. */
async function measure(rules) {
  const [{ default: start, EngineBench }, { byHand }, { sample }] = await Promise.all(
    ['/measured.js', '/rules.mjs', '/figures.mjs'].map((module) => import(module)),
  );
  await start('/measured_bg.wasm');
  const engines = { wasm: EngineBench.of(rules), javascript: byHand(rules) };
  const each = (work) => Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, work(engine)]));
  return {
    winners: each((engine) => [...engine.winners()]),
    decide: each((engine) => sample((runs) => engine.decide(runs))),
    event: each((engine) => sample((runs) => engine.event(runs))),
    open: sample((runs) => engines.wasm.open(runs)),
    load: sample((runs) => engines.wasm.load(runs)),
  };
}
