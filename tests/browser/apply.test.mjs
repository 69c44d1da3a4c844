// What a decision may do to the page: www/sdk/src/dom.ts alone, in a real browser.
import assert from 'node:assert/strict';
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
  ['a link gets an address', '<a data-selvedge-slot="hero" href="/a">old</a>', 'url', { href: '/b', text: 'new' }, '<a href="/b">new</a>'],
  ['another element gets a link inside', '<p data-selvedge-slot="hero">old</p>', 'url', { href: '/b', text: 'new' }, '<p><a href="/b">new</a></p>'],
  ['an address that runs code is left out', '<a data-selvedge-slot="hero" href="/a">old</a>', 'url', { href: 'javascript:alert(1)', text: 'new' }, '<a href="/a">new</a>'],
  ['even with a control character in it', '<a data-selvedge-slot="hero" href="/a">old</a>', 'url', { href: ' java\tscript:alert(1)', text: 'new' }, '<a href="/a">new</a>'],
  ['an image gets its source', '<img data-selvedge-slot="hero" src="data:," alt="old">', 'image', { src: 'https://x.test/a.png', alt: 'new' }, '<img src="https://x.test/a.png" alt="new">'],
  ['a data address is no image', '<p data-selvedge-slot="hero">old</p>', 'image', { src: 'data:text/html,x', alt: 'new' }, '<p><img alt="new"></p>'],
  ['an image may be a link', '<p data-selvedge-slot="hero">old</p>', 'image', { src: 'https://x.test/a.png', alt: 'a', href: '/b' }, '<p><a href="/b"><img alt="a" src="https://x.test/a.png"></a></p>'],
  ['attributes are set', '<p data-selvedge-slot="hero" class="a">old</p>', 'attributes', { class: 'b', title: 't' }, '<p class="b" title="t">old</p>'],
  ['but none that runs code', '<p data-selvedge-slot="hero">old</p>', 'attributes', { onclick: 'x', ONLOAD: 'x', srcdoc: 'x', style: 'x', href: 'javascript:x', 'formaction': 'vbscript:x', 'bad name': 'x' }, '<p>old</p>'],
]) {
  test(`${what}, and the fallback gives back what stood there`, async () => {
    assert.deepEqual(await applied(html, type, fields), [expected, true]);
  });
}

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
