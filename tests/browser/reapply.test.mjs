// Frameworks that render over what a decision put into their elements: it is written again, a bounded number of times, the page stays
// responsive, and the framework never fails over our nodes. React is the real one; the client is the real one too, with decisions given.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { compile } from '../../www/sdk/test/bundle.mjs';
import { launch, repository } from './support/world.mjs';

const { build } = createRequire(`${repository}www/package.json`)('esbuild');

/** React and a page built with it, as one script: `app` is the component. */
async function app(source) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as React from 'react'; import { createRoot } from 'react-dom/client';
        import { flushSync } from 'react-dom'; globalThis.React = React; globalThis.flushSync = flushSync;
        const e = React.createElement; ${source}
        globalThis.root = createRoot(document.querySelector('main')); flushSync(() => root.render(e(App)));`,
      resolveDir: `${repository}www`,
      loader: 'jsx',
    },
    bundle: true,
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

let browser;
let slots;
before(async () => {
  browser = await launch();
  slots = await compile('slots.ts', 'slots');
});
after(() => browser?.close());

/** A page with React's `source`, and the slots opened over it with a text (or other content) decided for `hero`. */
async function pageWith(source, content = { id: 'c', type: 'text', fields: { text: 'decided' } }) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(`${error}`));
  await page.route('http://site.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<main></main>' }));
  await page.goto('http://site.test/');
  await page.evaluate(() => {
    window.writes = 0;
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: 'longtask', buffered: true });
  });
  await page.addScriptTag({ content: await app(source) });
  await page.addScriptTag({ content: slots });
  await page.evaluate((content) => {
    window.decision = { slot: 'hero', rule: 'r', reason: 'won', content };
    window.decisions = new Map([['hero', decision]]);
    window.shown = slots.openSlots({ decisions, recorded: new WeakSet(), inView() {}, seen() {} });
    window.show = (content) => {
      decisions.set('hero', { ...decision, content });
      shown.show(decisions.get('hero'));
    };
    shown.select([]);
  }, content);
  return { page, errors };
}

const hero = (page) => page.textContent('[data-selvedge-slot="hero"]');
const COUNTER = `function App() { const [n, set] = React.useState(0); globalThis.set = (n) => flushSync(() => set(n));
  return e('h1', { 'data-selvedge-slot': 'hero' }, 'own ' + n); }`;

test('what React writes over a decision is written again, and what React wrote last is what the fallback gives back', async () => {
  const { page, errors } = await pageWith(COUNTER);
  assert.equal(await hero(page), 'decided');
  for (const turn of [1, 2, 3]) {
    const rendered = await page.evaluate((turn) => {
      set(turn);
      return document.querySelector('h1').textContent;
    }, turn);
    assert.equal(rendered, `own ${turn}`, 'React rendered');
    await page.waitForFunction(() => document.querySelector('h1').textContent === 'decided');
  }
  await page.evaluate(() => show(null));
  assert.equal(await hero(page), 'own 3');
  assert.deepEqual(errors, []);
  await page.close();
});

test('after five times in one element the page has its way, until something else is decided', async () => {
  const { page, errors } = await pageWith(COUNTER);
  for (let turn = 1; turn <= 6; turn++) {
    await page.evaluate((turn) => set(turn), turn);
    await page.waitForTimeout(100);
    assert.equal(await hero(page), turn <= 5 ? 'decided' : 'own 6', `turn ${turn}`);
  }
  await page.evaluate(() => show({ id: 'd', type: 'text', fields: { text: 'another' } }));
  assert.equal(await hero(page), 'another');
  assert.deepEqual(errors, []);
  await page.close();
});

test('React may take its own nodes out and put others in, though ours stand there', async () => {
  const { page, errors } = await pageWith(`function App() { const [n, set] = React.useState(0); globalThis.set = (n) => flushSync(() => set(n));
    return e('div', { 'data-selvedge-slot': 'hero' }, n !== 2 && e('b', { key: 'b' }, 'bold ' + n), n === 1 && e('i', { key: 'i' }, 'new'), e('u', { key: 'u' }, 'last')); }`,
  { id: 'c', type: 'html', fields: { html: '<p>decided</p>' } });
  for (const turn of [1, 2, 3]) {
    await page.evaluate((turn) => set(turn), turn);
    await page.waitForTimeout(100);
    assert.equal(await hero(page), 'decided', `turn ${turn}`);
  }
  await page.evaluate(() => set(1));
  await page.evaluate(() => show(null));
  assert.equal(await page.innerHTML('div'), '<b>bold 1</b><i>new</i><u>last</u>');
  await page.evaluate(() => root.unmount());
  assert.deepEqual([await page.innerHTML('main'), errors], ['', []]);
  await page.close();
});

test('attributes that React sets back are set again, and given back as React has them', async () => {
  const { page, errors } = await pageWith(`function App() { const [n, set] = React.useState(0); globalThis.set = (n) => flushSync(() => set(n));
    return e('h1', { 'data-selvedge-slot': 'hero', title: 'own ' + n }, 'text'); }`,
  { id: 'c', type: 'attributes', fields: { title: 'decided', lang: 'en' } });
  await page.evaluate(() => set(1));
  await page.waitForFunction(() => document.querySelector('h1').title === 'decided');
  await page.evaluate(() => show(null));
  assert.equal(await page.evaluate(() => document.querySelector('h1').outerHTML), '<h1 data-selvedge-slot="hero" title="own 1">text</h1>');
  assert.deepEqual(errors, []);
  await page.close();
});

test('a React page that undoes every change at once stays responsive', async () => {
  const { page, errors } = await pageWith(`
    function App() { const [n, set] = React.useState(0); const box = React.useRef();
      React.useLayoutEffect(() => { const watch = new MutationObserver(() => { writes++; set((n) => n + 1); });
        watch.observe(box.current, { childList: true, subtree: true, characterData: true }); return () => watch.disconnect(); });
      return e('section', { ref: box }, e('h1', { key: n, 'data-selvedge-slot': 'hero' }, 'own ' + n)); }`);
  await page.evaluate(() => {
    longest = 0;
  });
  await page.waitForTimeout(4_000);
  const { writes, longest, frames } = await page.evaluate(async () => {
    let frames = 0;
    const until = performance.now() + 1_000;
    while (performance.now() < until) {
      await new Promise(requestAnimationFrame);
      frames++;
    }
    return { writes, longest, frames };
  });
  assert.ok(writes >= 10, `it is written again: ${writes}`);
  assert.ok(writes < 100, `but not for ever: ${writes} in five seconds`);
  assert.ok(longest < 300, `the longest task took ${longest} ms`);
  assert.ok(frames > 10, `${frames} frames in a second`);
  assert.deepEqual(errors, []);
  await page.close();
});

test('a slot that the site renders itself is left to it, and still watched', async () => {
  const { page } = await pageWith(`function App() { return e('h1', { 'data-selvedge-slot': 'hero', 'data-selvedge-own': '' }, 'own'); }`);
  await page.waitForTimeout(100);
  assert.equal(await page.evaluate(() => document.querySelector('h1').outerHTML), '<h1 data-selvedge-slot="hero" data-selvedge-own="">own</h1>');
  const seen = await page.evaluate(() => new Promise((resolve) => {
    document.querySelector('main').innerHTML = '<h1 data-selvedge-slot="hero" data-selvedge-own="">own</h1>';
    slots.openSlots({ decisions, recorded: new WeakSet(), inView() {}, seen: resolve }).select([]);
  }));
  assert.equal(seen, 'hero');
  await page.close();
});
