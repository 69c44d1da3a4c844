// What a page captures by itself: each kind gives its event, switched off none, and before consent nothing leaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { html, lab, silence, tag } from './support/lab.mjs';
import { launch, pass, ready, until, visit, watching } from './support/world.mjs';

const BODY = `
  <a id="inner" href="/target?secret=1#part">  Inner
    link </a>
  <a id="mail" href="mailto:jane@shop.test">jane@shop.test</a>
  <a id="away" href="https://other.example/x?secret=1">Away</a>
  <a id="file" href="/files/Price-List.PDF?secret=1">Prices</a>
  <button id="buy"><b>Buy</b> now</button>
  <button id="nothing">Nothing</button>
  <button id="break">Break</button>
  <button id="refuse">Refuse</button>
  <button id="play">Play</button>
  <audio id="tone" title="A tone" src="/tone.wav?secret=1"></audio>
  <div data-selvedge-private>
    <a id="secret" href="/secret">Secret</a>
    <button id="own" data-selvedge-event="marked">Own</button>
    <form id="hidden"><input id="iban" name="iban"></form>
  </div>
  <form id="contact"><input id="email" name="email"><input id="note" name="note"><button id="send">Send</button></form>
  <section data-selvedge-visible="promo" data-selvedge-property-place="top">Promo</section>
  <div style="height:4000px"></div>
  <script src="/page.js"></script>`;
const PAGE = `
  window.dataLayer = [{ event: 'view_item', ecommerce: { currency: 'EUR', items: [{ item_id: 'early', price: 2.5, quantity: 2 }] } }];
  document.addEventListener('click', (event) => event.target.closest('a') && event.preventDefault());
  document.addEventListener('submit', (event) => event.preventDefault());
  const on = (id, act) => document.getElementById(id).addEventListener('click', act);
  on('buy', () => { for (const end = Date.now() + 60; Date.now() < end;); document.body.append('bought'); });
  on('break', () => { document.body.append('.'); throw new Error('no jane@shop.test in "4711" or 0171 1234567, https://x.test/?a=b'); });
  on('refuse', () => { document.body.append('.'); Promise.reject({ email: 'jane@shop.test' }); });
  on('play', () => document.getElementById('tone').play());
  document.addEventListener('play', () => document.body.append('playing'), true);`;
const FILES = {
  '/lab': html(BODY),
  '/off': html(BODY, tag('data-capture="none"')),
  '/on-tag': html(BODY, tag('data-capture="scroll search=s"')),
  '/hash': html(BODY, tag('data-capture="hash"')),
  '/routes-off': html(BODY, tag('data-capture="routes=off"')),
  '/short': html('<div style="height:1500px">Short</div>', tag('data-capture="scroll"')),
  '/target': html('Target', tag('data-capture="none"')),
  '/page.js': PAGE,
  ...Object.fromEntries(['clicks', 'outbound', 'downloads', 'forms', 'search=q', 'scroll', 'time', 'exit', 'media', 'vitals', 'errors', 'rage', 'dead', 'visibility', 'datalayer=lead:newsletter_signup']
    .map((word) => [`/alone/${word.split('=')[0]}`, html(BODY, tag(`data-capture="${word}"`))])),
  '/tone.wav': silence(2),
};

let site;
let browser;
before(async () => {
  site = await lab(FILES);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** A visitor who granted everything, on a page that has loaded what it wants. */
async function opened(path = '/lab', { consent = true, isLazy = !path.startsWith('/off') } = {}) {
  const { context, page, requests } = await visit(browser);
  const begun = (await site.lines()).length;
  const watched = isLazy && consent ? watching(page) : undefined;
  await page.goto(site.url + path);
  await ready(page);
  if (consent) await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true, advertising: true }));
  await watched;
  const lines = async () => (await site.lines(begun)).filter(({ kind = 'event' }) => kind === 'event');
  return {
    context,
    page,
    requests,
    lines,
    /** Events of this name, once there are `count`. */
    events: (name, count = 1) => until(`${count} of ${name}`, async () => {
      await page.evaluate(() => selvedge.flush()).catch(() => {});
      const found = (await lines()).filter((line) => line.name === name);
      return found.length >= count && found.map(({ properties }) => properties);
    }),
  };
}

const leave = (page) => page.goto(`${site.url}/target`);
const press = (...ids) => async (page) => {
  for (const id of ids) await page.click(`#${id}`);
};

/** By switch: what is done, and the events that come of it, with some of their properties. */
const KINDS = {
  clicks: [press('inner', 'mail', 'buy', 'secret', 'own'), {
    link_click: [
      { url: (url) => url.endsWith('/target'), text: 'Inner link' },
      { url: 'mailto:[email]', text: '[email]' },
    ],
    button_click: [{ name: 'buy', text: 'Buy now' }],
  }],
  outbound: [press('away'), { outbound_click: [{ url: 'https://other.example/x', text: 'Away' }] }],
  downloads: [press('file'), {
    file_download: [{ url: (url) => url.endsWith('/files/Price-List.PDF'), text: 'Prices', extension: 'pdf' }],
  }],
  forms: [async (page) => {
    await page.fill('#iban', 'DE02120300000000202051');
    await page.fill('#email', 'jane@shop.test');
    await page.fill('#note', 'private words');
    await page.click('#send');
    await page.fill('#note', 'more private words');
    await leave(page);
  }, {
    form_start: [{ form: 'contact', field: 'email' }, { form: 'contact', field: 'note' }],
    form_submit: [{ form: 'contact', fields: ['email', 'note'] }],
    form_abandon: [{ form: 'contact', field: 'note', fields: ['note'] }],
  }],
  search: [(page) => page.evaluate(() => history.pushState({}, '', '?q=red+shoes+for+jane@shop.test&other=1')), {
    site_search: [{ query: 'red shoes for [email]' }],
  }],
  scroll: [async (page) => {
    await page.evaluate(() => scrollTo(0, 1_600));
    await page.waitForTimeout(200);
    await page.evaluate(() => scrollTo(0, 99_999));
  }, { scroll_depth: [25, 50, 75, 90, 100].map((percent) => ({ percent })) }],
  time: [async (page) => {
    await page.waitForTimeout(1_500);
    await page.mouse.move(10, 10);
    await leave(page);
  }, { engagement: [{ duration_ms: (ms) => ms >= 1_500 && ms < 6_000 }] }],
  exit: [async (page) => {
    await page.mouse.move(300, 200);
    await page.evaluate(() => {
      document.dispatchEvent(new MouseEvent('mouseout', { clientY: 300, relatedTarget: null }));
      // Another page view: had that counted, this one would be the second.
      history.pushState({}, '', '?exit');
      document.dispatchEvent(new MouseEvent('mouseout', { clientY: -4, relatedTarget: null }));
      document.dispatchEvent(new MouseEvent('mouseout', { clientY: -4, relatedTarget: null }));
    });
  }, { exit_intent: [{}] }],
  media: [async (page) => {
    await page.click('#play');
    await page.waitForFunction(() => document.getElementById('tone').ended);
  }, {
    media_play: [{ kind: 'audio', title: 'A tone', url: (url) => url.endsWith('/tone.wav') }],
    media_progress: [{ percent: 25, duration_s: 2 }, { percent: 50 }, { percent: 75 }],
    media_complete: [{ kind: 'audio' }],
  }],
  vitals: [async (page) => {
    await page.waitForTimeout(500);
    await page.click('#buy');
    await page.waitForTimeout(300);
    await leave(page);
  }, { web_vital: ['CLS', 'FCP', 'INP', 'LCP', 'TTFB'].map((metric) => ({ metric, value: (value) => value >= 0, rating: (rating) => rating.length > 3 })) }],
  errors: [press('break', 'break', 'refuse'), {
    js_error: [
      { kind: 'error', message: 'Uncaught Error: no [email] in … or 0 0, …', source: (url) => url.endsWith('/page.js'), line: (line) => line > 0 },
      { kind: 'rejection', message: 'object' },
    ],
  }],
  // The fourth click is none of another rage.
  rage: [press('buy', 'buy', 'buy', 'buy'), { rage_click: [{ element: 'button#buy', text: 'Buy now', clicks: 3 }] }],
  dead: [async (page) => {
    for (const id of ['buy', 'nothing']) {
      await page.click(`#${id}`);
      await page.waitForTimeout(1_200);
    }
  }, { dead_click: [{ element: 'button#nothing', text: 'Nothing' }] }],
  visibility: [async (page) => {
    // In view, but not for a second.
    await page.evaluate(() => {
      const brief = document.createElement('section');
      Object.assign(brief.dataset, { selvedgeVisible: 'brief' });
      brief.style.cssText = 'position:fixed;top:0;height:40px;width:40px';
      document.body.append(brief);
      setTimeout(() => brief.remove(), 400);
    });
    await page.waitForTimeout(1_500);
  }, { element_visible: [{ element: 'promo', place: 'top' }] }],
  ecommerce: [(page) => page.evaluate(() => {
    selvedge.ecommerce('purchase', { transaction_id: 't1', currency: 'EUR', items: [{ price: 19.9, quantity: 3 }, { price: 0.1 }] });
  }), { purchase: [{ transaction_id: 't1', value: 59.8 }] }],
  datalayer: [(page) => page.evaluate(() => {
    dataLayer.push({ event: 'gtm.js' }, { event: 'never_planned', a: 1 });
    dataLayer.push({ event: 'lead', place: 'footer of jane@shop.test', value: '12.50', user_data: { email: 'jane@shop.test' } });
    (function gtag() { dataLayer.push(arguments); })('event', 'add_to_cart', { currency: 'EUR', value: 7, items: [{ item_id: 'a' }] });
  }), {
    view_item: [{ value: 5, items: [{ item_id: 'early', price: 2.5, quantity: 2 }] }],
    newsletter_signup: [{ place: 'footer of [email]', value: 12.5, user_data: (given) => given === undefined }],
    add_to_cart: [{ value: 7 }],
  }],
};

/** What the plan knows of kinds; `ecommerce` is the site's own word, so nothing switches it off. */
const automatic = Object.entries(KINDS).filter(([kind]) => kind !== 'ecommerce').flatMap(([, [, events]]) => Object.keys(events));

const holds = (found, wanted) => Object.entries(wanted).every(([name, value]) => (
  typeof value === 'function' ? value(found[name]) : JSON.stringify(found[name]) === JSON.stringify(value)));

for (const [kind, [act, expected]] of Object.entries(KINDS)) {
  test(`${kind} give their events`, async () => {
    const { context, page, events } = await opened();
    await act(page);
    for (const [name, wanted] of Object.entries(expected)) {
      const found = await events(name, wanted.length);
      const sorted = name === 'web_vital' ? found.toSorted((a, b) => (a.metric < b.metric ? -1 : 1)) : found;
      assert.equal(sorted.length, wanted.length, JSON.stringify(sorted));
      wanted.forEach((one, at) => assert.ok(holds(sorted[at], one), `${name}: ${JSON.stringify(sorted[at])}`));
      assert.doesNotMatch(JSON.stringify(found), /jane@|private words|DE0212|secret|4711/);
    }
    await context.close();
  });
}

const AT_HAND = ['clicks', 'outbound', 'downloads'];
for (const kind of Object.keys(KINDS).filter((kind) => kind !== 'ecommerce')) {
  test(`${kind} alone give their events, and no other kind its own`, async () => {
    const { context, page, events, lines } = await opened(`/alone/${kind}`, { isLazy: !AT_HAND.includes(kind) });
    const [act, own] = KINDS[kind];
    await act(page);
    for (const [name, wanted] of Object.entries(own)) await events(name, wanted.length);
    const names = new Set((await lines()).map(({ name }) => name));
    assert.deepEqual(automatic.filter((name) => names.has(name) && !(name in own)), []);
    await context.close();
  });
}

test('the time that a page is hidden is none that it is used', async () => {
  const { context, page, events } = await opened();
  const spent = await page.evaluate(async () => {
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const hide = (hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    };
    await wait(1_200);
    hide(true);
    await wait(3_000);
    hide(false);
    const back = performance.now();
    await wait(1_200);
    hide(true);
    return performance.now() - back;
  });
  const found = await events('engagement', 2);
  assert.equal(found.length, 2);
  assert.ok(Math.abs(found[1].duration_ms - spent) < 500, `${found[1].duration_ms} of ${spent} ms`);
  await context.close();
});

test('a route that begins at its top was not scrolled', async () => {
  const { context, page, events, lines } = await opened('/short');
  await page.evaluate(() => scrollTo(0, 99_999));
  await events('scroll_depth', 5);
  await page.evaluate(() => {
    history.pushState({}, '', '/short/two');
    scrollTo(0, 0);
  });
  await pass(page, 500);
  await page.evaluate(() => selvedge.track('marked', {}));
  await events('marked');
  assert.equal((await lines()).filter(({ name }) => name === 'scroll_depth').length, 5);
  await context.close();
});

test('switched off, no kind gives an event', { timeout: 120_000 }, async () => {
  const { context, page, requests, lines } = await opened('/off');
  for (const [act] of Object.values(KINDS)) {
    if (new URL(page.url()).pathname !== '/off') await page.goto(`${site.url}/off`).then(() => ready(page));
    await act(page);
  }
  await page.evaluate(() => selvedge.flush());
  await page.waitForTimeout(1_000);
  const names = new Set((await lines()).map(({ name }) => name));
  assert.deepEqual(automatic.filter((name) => names.has(name)), []);
  assert.ok(names.has('page') && names.has('purchase'));
  assert.ok(!requests.some(({ url }) => /extras|vitals/.test(url)));
  await context.close();
});

test('all that a page watches comes with one request, and web vitals only where they are wanted', async () => {
  for (const [path, wanted] of [['/alone/vitals', 'vitals.js'], ['/alone/scroll', 'extras.js']]) {
    const { context, requests } = await opened(path);
    const chunks = requests.map(({ url }) => new URL(url).pathname.split('/').pop()).filter((name) => /^(extras|vitals)\.js/.test(name));
    // The test asks for it once more, by its address: a page loads a module once.
    assert.deepEqual(chunks, [wanted]);
    await context.close();
  }
});

test('before consent nothing is loaded, watched or sent', { timeout: 120_000 }, async () => {
  const { context, page, requests, lines } = await opened('/lab', { consent: false });
  for (const [act] of Object.values(KINDS)) {
    if (new URL(page.url()).pathname !== '/lab') await page.goto(`${site.url}/lab`).then(() => ready(page));
    await act(page);
  }
  await page.waitForTimeout(1_000);
  assert.ok(!requests.some(({ method, url }) => method !== 'GET' || /\/v1\/(collect|decide)|extras|vitals/.test(url)));
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await context.close();
  assert.deepEqual(await lines(), []);
});

test('the script tag says what is captured in place of the config', async () => {
  const { context, page, events, lines } = await opened('/on-tag');
  await page.evaluate(() => history.pushState({}, '', '?s=hats&q=shoes'));
  await page.click('#inner');
  await page.evaluate(() => scrollTo(0, 99_999));
  assert.deepEqual(await events('site_search'), [{ query: 'hats' }]);
  await events('scroll_depth', 5);
  assert.ok(!(await lines()).some(({ name }) => name === 'link_click'));
  await context.close();
});

test('a click before the tracking plan is there waits for it', async () => {
  const { context, page } = await visit(browser);
  const begun = (await site.lines()).length;
  let asked;
  const held = new Promise((done) => (asked = done));
  await page.route(/\/p\/|\/program/, async (route) => {
    asked();
    await new Promise((done) => setTimeout(done, 1_500));
    await route.continue();
  });
  await page.goto(`${site.url}/lab`);
  await ready(page);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  await held;
  await page.click('#inner');
  const clicked = Date.now();
  const found = await until('the click', async () => {
    await page.evaluate(() => selvedge.flush());
    return (await site.lines(begun)).find(({ name }) => name === 'link_click');
  });
  assert.ok(Math.abs(found.time_ms - clicked) < 1_000, `${found.time_ms} is not ${clicked}`);
  await context.close();
});

test('routes are page views, of the History API and, where the site wants it, behind a hash', async () => {
  const views = async (path, act) => {
    const { context, page, events, lines } = await opened(path, { isLazy: path === '/lab' });
    for (const step of act) {
      await page.evaluate(step);
      await pass(page, 100);
    }
    await page.evaluate(() => selvedge.track('marked', {}));
    await events('marked');
    const found = (await lines()).filter(({ name }) => name === 'page').map(({ properties }) => properties.path);
    await context.close();
    return found;
  };
  const push = ["history.pushState({}, '', '/lab/two')", "location.hash = '#part'"];
  const hash = ["location.hash = '#/shoes/7'", "location.hash = '#!/hats'", "location.hash = '#part'"];
  assert.deepEqual(await views('/lab', push), ['/lab', '/lab/two']);
  assert.deepEqual(await views('/routes-off', push), ['/routes-off']);
  assert.deepEqual(await views('/lab', hash), ['/lab']);
  assert.deepEqual(await views('/hash', hash), ['/hash', '/hash/shoes/7', '/hash/hats', '/hash']);
});
