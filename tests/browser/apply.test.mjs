// What a decision may do to the page: www/sdk/src/dom.ts alone, in a real browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { compile } from '../../www/sdk/test/bundle.mjs';
import { launch } from './support/world.mjs';

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
  ['but only of what is on the list', '<p data-selvedge-slot="hero">old</p>', 'html', { html: '<b onclick="x" style="x" id="x">new<script>x</script></b><svg><g>x</g></svg><a href="javascript:x">link</a><!-- x -->' }, '<p><b>new</b><a>link</a></p>'],
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

test('what the site writes afterwards stays', async () => {
  const text = await page.evaluate(() => {
    document.querySelector('main').innerHTML = '<p data-selvedge-slot="hero">old</p>';
    const [element] = dom.slotElements('hero');
    const decision = { slot: 'hero', rule: 'r', reason: 'won', content: { id: 'c', type: 'text', fields: { text: 'new' } } };
    dom.apply(element, decision);
    element.textContent = 'the site\'s';
    const changed = dom.apply(element, decision);
    return [element.textContent, changed];
  });
  assert.deepEqual(text, ['the site\'s', false]);
});

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
        document.body.innerHTML = `<main><${tag} data-selvedge-slot="hero" tabindex="0">old</${tag}></main>`;
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

test(`none of ${payloads.length} attacks runs, wherever it stands`, { timeout: 300_000 }, async () => {
  assert.ok(payloads.length >= 300);
  const target = await browser.newPage();
  await target.route('**/*', (route) => (route.request().url() === 'http://site.test/' ? route.fulfill({ contentType: 'text/html', body: '<body></body>' }) : route.abort()));
  await target.goto('http://site.test/');
  await target.evaluate(() => addEventListener('click', (event) => event.preventDefault(), true));
  await target.addScriptTag({ content: await compile('dom.ts', 'dom') });
  assert.deepEqual(await attacked(target), { ran: [], left: [] });
  await target.close();
});

test('where the site asks for trusted types, markup is shown by the policy `selvedge`, and without it nothing changes', async () => {
  for (const [policies, expected] of [['selvedge', '<b>new</b>'], ['others', 'old']]) {
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
