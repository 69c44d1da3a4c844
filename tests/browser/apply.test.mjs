// What a decision may do to the page: www/sdk/src/dom.ts alone, in a real browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compile } from '../../www/sdk/test/bundle.mjs';
import { launch } from './support/world.mjs';

const { build } = createRequire(new URL('../../www/package.json', import.meta.url))('esbuild');

let browser;
let page;
before(async () => {
  browser = await launch();
  page = await browser.newPage();
  await page.route('http://site.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<main></main>' }));
  await page.goto('http://site.test/');
  await page.addScriptTag({ content: await compile('dom.ts', 'dom') });
});
after(() => browser?.close());

/** Puts `html` into the page, applies `content` to its slot, then the fallback; gives the slot's markup after each. */
const applied = (html, type, fields) => page.evaluate(([html, type, fields]) => {
  document.querySelector('main').innerHTML = html;
  const [element] = dom.slotElements('hero');
  const marks = (text) => text.replace(/ data-selvedge-(slot|content)="[^"]*"/g, '');
  dom.apply(element, { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type, fields } });
  const shown = marks(element.outerHTML);
  dom.apply(element, { slot: 'hero', rule: null, reason: 'fallback', content: null });
  return [shown, element.outerHTML === html];
}, [html, type, fields]);

for (const [what, html, type, fields, expected] of [
  ['a text is text', '<p data-selvedge-slot="hero">old <b>one</b></p>', 'text', { text: '<i>new</i>' }, '<p>&lt;i&gt;new&lt;/i&gt;</p>'],
  ['a link gets an address', '<a data-selvedge-slot="hero" href="/a">old</a>', 'link', { href: '/b', text: 'new' }, '<a href="/b">new</a>'],
  ['another element gets a link inside', '<p data-selvedge-slot="hero">old</p>', 'link', { href: '/b', text: 'new' }, '<p><a href="/b">new</a></p>'],
  ['an address that runs code is left out', '<a data-selvedge-slot="hero" href="/a">old</a>', 'link', { href: 'javascript:alert(1)', text: 'new' }, '<a href="/a">new</a>'],
  ['even with a control character in it', '<a data-selvedge-slot="hero" href="/a">old</a>', 'link', { href: ' java\tscript:alert(1)', text: 'new' }, '<a href="/a">new</a>'],
  ['an image gets its source', '<img data-selvedge-slot="hero" src="data:," alt="old">', 'image', { src: 'https://x.test/a.png', alt: 'new' }, '<img src="https://x.test/a.png" alt="new">'],
  ['a data address is no image', '<p data-selvedge-slot="hero">old</p>', 'image', { src: 'data:text/html,x', alt: 'new' }, '<p><img alt="new"></p>'],
  ['an image may be a link', '<p data-selvedge-slot="hero">old</p>', 'image', { src: 'https://x.test/a.png', alt: 'a', href: '/b' }, '<p><a href="/b"><img alt="a" src="https://x.test/a.png"></a></p>'],
  ['attributes are set', '<p data-selvedge-slot="hero" class="a">old</p>', 'attributes', { class: 'b', title: 't' }, '<p class="b" title="t">old</p>'],
  ['but none that runs code', '<p data-selvedge-slot="hero">old</p>', 'attributes', { onclick: 'x', ONLOAD: 'x', srcdoc: 'x', style: 'x', href: 'javascript:x', 'formaction': 'vbscript:x', 'bad name': 'x' }, '<p>old</p>'],
  ['markup is built', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b class="x">new</b> <a href="/b" title="t">link</a><br>' }, '<p><b class="x">new</b> <a href="/b" title="t">link</a><br></p>'],
  ['attributes that are not on the list are left out of it', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b onclick="x" style="x" id="x">new</b><a href="javascript:x">link</a>' }, '<p><b>new</b><a>link</a></p>'],
  ['characters may stand there by name and number', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<i title="a &quot;b&quot;">&lt;&#228;&#x2F;&euro; &nobody;&am; &amp;lt;</i>' }, '<p><i title="a &quot;b&quot;">&lt;ä/€ &amp;nobody;&amp;am; &amp;lt;</i></p>'],
  ['markup with anything else in it is not shown', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b>new</b><script>x</script>' }, '<p>old</p>'],
  ['nor is a comment', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b>new</b><!-- x -->' }, '<p>old</p>'],
  ['nor an element that is not closed', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b>new' }, '<p>old</p>'],
  ['nor one that is closed by another', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b>new</i></b>' }, '<p>old</p>'],
  ['data is nothing to see', '<p data-selvedge-slot="hero">old</p>', 'json', { json: '{"a":1}' }, '<p>old</p>'],
]) {
  test(`${what}, and the fallback gives back what stood there`, async () => {
    assert.deepEqual(await applied(html, type, fields), [expected, true]);
  });
}

test('elements that a selector finds are a slot, unless they were marked', async () => {
  const found = await page.evaluate(() => {
    document.querySelector('main').innerHTML = '<h1>old</h1><h1 data-selvedge-slot="other">other</h1>';
    dom.findSlotsBy([['broken', 'h1:not('], ['hero', 'main > h1']]);
    const [element] = dom.slotElements('hero');
    dom.apply(element, { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type: 'text', fields: { text: 'new' } } });
    dom.findSlotsBy([]);
    return [dom.slotOf(element), [...document.querySelectorAll('h1')].map((one) => one.textContent)];
  });
  assert.deepEqual(found, ['hero', ['new', 'other']]);
});

test('what the site writes afterwards is given back, and after five times it stays', async () => {
  const [texts, last] = await page.evaluate(() => {
    document.querySelector('main').innerHTML = '<p data-selvedge-slot="hero">old</p>';
    const [element] = dom.slotElements('hero');
    const decision = { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type: 'text', fields: { text: 'new' } } };
    dom.apply(element, decision);
    const texts = [1, 2, 3, 4, 5, 6].map((time) => {
      element.textContent = `the site's ${time}`;
      return [dom.apply(element, decision), element.textContent];
    });
    dom.apply(element, { slot: 'hero', rule: null, reason: 'fallback', content: null });
    return [texts, element.textContent];
  });
  assert.deepEqual(texts, [...Array(5).fill([true, 'new']), [false, "the site's 6"]]);
  assert.equal(last, "the site's 6");
});

for (const tag of ['script', 'style', 'iframe', 'object', 'embed', 'template', 'link', 'meta', 'base']) {
  test(`a <${tag}> is no place for a content`, async () => {
    const [shown, expected] = await page.evaluate((tag) => {
      const element = document.createElement(tag);
      element.setAttribute('data-selvedge-slot', 'hero');
      document.querySelector('main').replaceChildren(element);
      const before = element.outerHTML;
      const contents = [['text', { text: 'ran = 1' }], ['html', { html: '<b>x</b>' }], ['attributes', { src: 'https://x.test/', href: '/x', content: 'x' }]];
      for (const [type, fields] of contents) dom.apply(element, { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type, fields } });
      return [element.outerHTML, before];
    }, tag);
    assert.equal(shown, expected);
  });
}

const payloads = JSON.parse(await readFile(new URL('../fixtures/xss.json', import.meta.url), 'utf8'));

/** Every payload in every place that a content has, in a page of its own; gives what ran, and what is left that could run. */
const attacked = (target) => target.evaluate(async (payloads) => {
  window.ran = [];
  window.xss = (what) => window.ran.push(what ?? 'a payload');
  const contents = (payload) => [
    ['text', { text: payload }],
    ['html', { html: payload }],
    ['html', { html: `<p title="${payload}">${payload}</p>` }],
    ['link', { href: payload, text: payload }],
    ['image', { src: payload, alt: payload, href: payload }],
    ['attributes', { title: payload, href: payload, src: payload, style: payload, srcdoc: payload, [payload]: payload }],
    ['attributes', { onclick: payload, onfocus: 'xss()', formaction: payload, action: payload, data: payload, 'xlink:href': payload }],
    ['json', { json: payload }],
  ];
  const left = [];
  const bad = /^(?:script|svg|math|iframe|object|embed|style|link|meta|base|form|input|button|template|frame|frameset|applet)$/i;
  for (const payload of payloads) {
    for (const [type, fields] of contents(payload)) {
      for (const tag of ['div', 'a', 'img']) {
        const slot = document.createElement(tag);
        slot.setAttribute('data-selvedge-slot', 'hero');
        slot.tabIndex = 0;
        slot.append('old');
        document.body.replaceChildren(slot);
        const [element] = dom.slotElements('hero');
        dom.apply(element, { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type, fields } });
        element.focus();
        for (const inner of [element, ...element.querySelectorAll('*')]) {
          const handlers = inner.getAttributeNames().filter((name) => /^on|^srcdoc$|^style$/i.test(name));
          const leads = [inner.href, inner.src, inner.action, inner.formAction].some((address) => /^(?:javascript|vbscript|data|blob):/i.test(String(address ?? '')));
          if (handlers.length || leads || bad.test(inner.localName)) left.push(`${type}: ${payload} -> ${inner.outerHTML}`);
          if (type === 'html' && inner.localName === 'a') inner.click();
        }
      }
    }
  }
  await new Promise((done) => setTimeout(done, 300));
  return { ran: window.ran, left };
}, payloads);

const TRUSTED = "require-trusted-types-for 'script'; trusted-types 'none'";
const STRICT = "script-src 'nonce-n' 'strict-dynamic' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'";
/** A page under a policy, with `script` in it; what it reports is in `reports`. */
async function pageUnder(policy, script) {
  const target = await browser.newPage();
  const body = '<!doctype html><body><script nonce="n" src="/script.js"></script></body>';
  const headers = policy ? { 'content-security-policy': policy } : {};
  await target.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/script.js') return route.fulfill({ contentType: 'text/javascript', body: script });
    return route.request().isNavigationRequest() ? route.fulfill({ contentType: 'text/html', headers, body }) : route.abort();
  });
  await target.addInitScript(() => {
    window.reports = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => reports.push(`${violatedDirective} ${blockedURI}`));
    addEventListener('click', (event) => event.preventDefault(), true);
  });
  await target.goto('http://site.test/');
  return target;
}

for (const [name, policy] of [
  ['', ''],
  [' with trusted types', TRUSTED],
  [' under a strict policy', STRICT],
  [' with both', `${STRICT}; ${TRUSTED}`],
]) {
  test(`none of ${payloads.length} attacks runs, wherever it stands${name}, and none is reported`, { timeout: 300_000 }, async () => {
    assert.ok(payloads.length >= 300);
    const target = await pageUnder(policy, await compile('dom.ts', 'dom'));
    const found = await attacked(target);
    assert.deepEqual({ ...found, reports: await target.evaluate(() => reports) }, { ran: [], left: [], reports: [] });
    await target.close();
  });
}

test(`none of ${payloads.length} attacks runs in what React renders, on the server and in the page`, { timeout: 300_000 }, async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createElement } from 'react'; import { flushSync } from 'react-dom'; import { createRoot } from 'react-dom/client';
        import { renderToString } from 'react-dom/server.browser'; import { SelvedgeProvider, Slot } from './sdk/src/package/react.ts';
        export const tree = (content) => createElement(SelvedgeProvider, { site: 's', writeKey: 'k', wasm: new Promise(() => {}), decisions: [{ slot: 'hero', rule: 'r', reason: 'won', content }] },
          createElement(Slot, { name: 'hero' }, 'own'));
        export const text = (content) => renderToString(tree(content));
        export const show = (content, root) => flushSync(() => root.render(tree(content)));
        export { createRoot };`,
      resolveDir: fileURLToPath(new URL('../../www/', import.meta.url)),
    },
    bundle: true, write: false, format: 'iife', globalName: 'app', platform: 'browser', logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [{ name: 'host', setup: (made) => made.onResolve({ filter: /\/host\.js$/ }, () => ({ path: fileURLToPath(new URL('../../www/sdk/src/host.ts', import.meta.url)) })) }],
  });
  const target = await pageUnder(STRICT, outputFiles[0].text);
  const found = await target.evaluate(async (payloads) => {
    window.ran = [];
    window.xss = (what) => ran.push(what ?? 'a payload');
    const left = [];
    const bad = /^(?:script|svg|math|iframe|object|embed|style|link|meta|base|form|input|button|template|frame|frameset|applet)$/i;
    const look = (root, what) => {
      for (const inner of root.querySelectorAll('[data-selvedge-slot], [data-selvedge-slot] *')) {
        const handlers = inner.getAttributeNames().filter((name) => /^on|^srcdoc$|^style$/i.test(name));
        const leads = [inner.href, inner.src].some((address) => /^(?:javascript|vbscript|data|blob):/i.test(String(address ?? '')));
        if (handlers.length || leads || bad.test(inner.localName)) left.push(`${what} -> ${inner.outerHTML}`);
      }
    };
    for (const payload of payloads) {
      for (const [type, fields] of [
        ['text', { text: payload }], ['html', { html: payload }], ['html', { html: `<p title="${payload}">${payload}</p>` }],
        ['link', { href: payload, text: payload }], ['image', { src: payload, alt: payload, href: payload }],
        ['attributes', { title: payload, href: payload, src: payload, style: payload, onclick: payload, dangerouslySetInnerHTML: payload, children: payload, [payload]: payload }],
        ['json', { json: payload }],
      ]) {
        const content = { id: 'c', type, fields };
        document.body.innerHTML = app.text(content);
        look(document.body, `${type} on the server: ${payload}`);
        const box = document.body.appendChild(document.createElement('div'));
        const root = app.createRoot(box);
        app.show(content, root);
        look(box, `${type} in the page: ${payload}`);
        root.unmount();
      }
    }
    await new Promise((done) => setTimeout(done, 300));
    return { ran, left, reports };
  }, payloads);
  assert.deepEqual(found, { ran: [], left: [], reports: [] });
  await target.close();
});

test('where the site asks for trusted types, markup is shown without any policy', async () => {
  for (const [policies, expected] of [["'none'", '<b>new</b>'], ['others', '<b>new</b>']]) {
    const target = await browser.newPage();
    const headers = { 'content-security-policy': `require-trusted-types-for 'script'; trusted-types ${policies}` };
    const script = await compile('dom.ts', 'dom');
    await target.route('http://site.test/**', (route) => (route.request().url().endsWith('dom.js')
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({ contentType: 'text/html', headers, body: '<p data-selvedge-slot="hero">old</p><script src="/dom.js"></script>' })));
    await target.goto('http://site.test/');
    const shown = await target.evaluate(() => {
      const [element] = dom.slotElements('hero');
      dom.apply(element, { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type: 'html', fields: { html: '<b>new</b>' } } });
      return element.innerHTML;
    });
    assert.equal(shown, expected);
    await target.close();
  }
});
