// Consent platforms, step by step: what is stored and what leaves at each step, in a real browser against the real worker.
// The strings are made by the IAB's own libraries.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isAllowed, launch, log, ready, repository, serve, stored, until, visit, withCookie } from './support/world.mjs';

const require = createRequire(`${repository}www/package.json`);
const { TCModel, SegmentEncoder, Segment } = require('@iabtechlabtcf/core');
const { GppModel } = require('@iabgpp/cmpapi');

const WAIT_MS = 1_000;
const LONG_MS = 5_000;
const VENDOR = 755;
const nothing = { local: [], session: [], cookies: '', databases: [], caches: [] };

let site;
let browser;
let folder;
let sources = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'selvedge-site-'));
  cpSync(`${repository}examples/shop`, folder, { recursive: true });
  site = await serve({ SELVEDGE_SITE: folder });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Publishes the shop with this below `consent:`; a source that says nothing is waited for so long. */
async function publish(lines, waitMs = WAIT_MS) {
  if (`${lines}${waitMs}` === sources) return;
  sources = `${lines}${waitMs}`;
  const text = readFileSync(`${repository}examples/shop/site.yaml`, 'utf8');
  const consent = `consent:\n  mode: opt-in\n  policy_version: 3\n  wait: ${waitMs / 1000}s\n  regions:\n    US: opt-out\n    FR: cnil\n${lines}\n`;
  writeFileSync(join(folder, 'site.yaml'), text.replace(/^consent:\n( .*\n)*/m, consent));
  const { error } = await site.publish();
  assert.equal(error, undefined, error);
}

/** A TC string: consent to these purposes of the framework, for our vendor. */
function tc(purposes) {
  const model = new TCModel();
  Object.assign(model, { cmpId: 31, cmpVersion: 2, vendorListVersion_: 80, policyVersion: 5, isServiceSpecific: true, publisherCountryCode: 'DE' });
  model.purposeConsents.set(purposes);
  model.vendorConsents.set(purposes.length ? [VENDOR] : []);
  model.vendorsDisclosed.set([VENDOR]);
  return [Segment.CORE, Segment.VENDORS_DISCLOSED].map((segment) => SegmentEncoder.encode(model, segment)).join('.');
}
const ALL = tc([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
const ANALYTICS = tc([1, 8, 9, 10]);
const NONE = tc([]);

/** A GPP string of the national section. */
function gpp(isOut) {
  const model = new GppModel();
  model.setFieldValue('usnat', 'SaleOptOut', isOut ? 1 : 2);
  return model.encode();
}

/** FNV-1a, 64 bits: what names a string in a snapshot. */
function hash(text) {
  let sum = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return sum.toString(16).padStart(16, '0');
}

/** The platform of the IAB in a page: says what a test tells it to, also to frames. */
const IAB = `<script>
  window.cmp = { tcf: [], gpp: [], last: {} };
  cmp.say = (kind, data, success = true) => {
    cmp.last[kind] = [data, success];
    for (const listener of cmp[kind]) listener(data, success);
  };
  const join = (kind, listener) => {
    cmp[kind].push(listener);
    if (cmp.last[kind]) listener(...cmp.last[kind]);
  };
  cmp.install = (tcf, gpp) => {
    if (tcf) window.__tcfapi = (command, version, listener) =>
      command === 'addEventListener' && version === 2 && join('tcf', listener);
    if (gpp) window.__gpp = (command, listener) => command === 'addEventListener' && join('gpp', listener);
  };
  addEventListener('message', ({ data, source }) => {
    const text = typeof data === 'string';
    const read = text ? JSON.parse(data) : data;
    const answer = (name, callId) => (returnValue, success) => {
      const reply = { [name]: { returnValue, success, callId } };
      source.postMessage(text ? JSON.stringify(reply) : reply, '*');
    };
    if (read?.__tcfapiCall) __tcfapi(read.__tcfapiCall.command, 2, answer('__tcfapiReturn', read.__tcfapiCall.callId));
    if (read?.__gppCall) __gpp(read.__gppCall.command, answer('__gppReturn', read.__gppCall.callId));
  });
</script>`;
const SCRIPT = '<script async src="/selvedge/v1/loader.js" data-site="shop" data-key="wk_shop_browser" data-page="manual"></script>';
const document = (head) => `<!doctype html><title>consent</title><link rel="icon" href="data:,">${head}<p>page</p>`;

/** A fresh visitor in `country` on a page with `head`; `block` cuts off addresses. */
async function arrive({ country = 'DE', head = '', block, gpc = false } = {}) {
  const headers = { 'cf-ipcountry': country, ...(gpc ? { 'sec-gpc': '1' } : {}) };
  const visitor = await visit(browser, { extraHTTPHeaders: headers });
  await withCookie(visitor.context, site.url);
  if (block) await visitor.context.route(block, (route) => route.abort());
  await visitor.context.route(`${site.url}/consent-test`, (route) => route.fulfill({ contentType: 'text/html', body: document(head + SCRIPT) }));
  await visitor.page.goto(`${site.url}/consent-test`);
  await ready(visitor.page);
  await until('the config', () => visitor.requests.some(({ url }) => new URL(url).pathname.endsWith('/config')));
  await visitor.page.waitForTimeout(250);
  return visitor;
}

const search = (frame, query) => frame.evaluate((query) => selvedge.track('search', { query }), query);

/** The step's snapshot before an answer: 0 bytes on the device, no request but GETs without cookies. */
async function assertUntouched({ page, requests, left }, step) {
  assert.deepEqual(await stored(page), nothing, step);
  const soFar = [...requests];
  await left();
  assert.deepEqual(soFar.filter((request) => !isAllowed(request)), [], step);
}
const ours = async (page) => (await stored(page)).local.filter((key) => key.startsWith('selvedge'));
const logged = async (query) => (await log(site)).find(({ properties }) => properties.query === query);
const arrived = (query) => until(query, () => logged(query));
const flush = (frame) => frame.evaluate(() => selvedge.flush());

/** Lets the platform take consent back, and gives the milliseconds until the device has nothing but `left`. */
const timeToErase = (page, withdraw, left = '') => page.evaluate(async ([withdraw, left]) => {
  const begun = performance.now();
  new Function(withdraw)();
  while (Object.keys(localStorage).some((key) => key.startsWith('selvedge') && key !== left)) {
    if (performance.now() - begun > 5_000) return Infinity;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - begun;
}, [withdraw, left]);

const TCF = `  sources:\n    tcf: {vendor: ${VENDOR}}`;
const say = (page, kind, data, success = true) => page.evaluate(([kind, data, success]) => cmp.say(kind, data, success), [kind, data, success]);
const tcf = (page, eventStatus, tcString, gdprApplies = true) => say(page, 'tcf', { eventStatus, tcString, gdprApplies });

test('TCF: loading, shown, accepted, changed, withdrawn', async () => {
  await publish(TCF);
  const visitor = await arrive({ head: `${IAB}<script>cmp.install(true)</script>` });
  const { context, page, requests } = visitor;
  await say(page, 'tcf', { cmpStatus: 'loading', gdprApplies: undefined });
  await search(page, 'tcf-loading');
  await page.waitForTimeout(WAIT_MS + 300);
  await assertUntouched(visitor, 'loading, and the wait is over');
  await tcf(page, 'cmpuishown', ALL);
  await search(page, 'tcf-shown');
  await flush(page);
  await page.waitForTimeout(300);
  await assertUntouched(visitor, 'shown');
  const before = Date.now();
  await tcf(page, 'useractioncomplete', ALL);
  const found = await arrived('tcf-loading');
  assert.ok(found.time_ms < before - WAIT_MS, 'an event keeps its true time');
  assert.equal(found.consent.signal, 'tcf');
  assert.equal(found.consent.text_hash, hash(ALL));
  assert.equal(found.consent.policy_version, 3);
  assert.ok(found.consent.time_ms >= before - 50);
  assert.deepEqual(found.consent.granted, ['analytics', 'personalization', 'advertising']);
  await arrived('tcf-shown');
  assert.ok((await ours(page)).length > 0);

  await tcf(page, 'useractioncomplete', ANALYTICS);
  await search(page, 'tcf-changed');
  await flush(page);
  const changed = await arrived('tcf-changed');
  assert.deepEqual([changed.consent.granted, changed.consent.text_hash], [['analytics'], hash(ANALYTICS)]);
  assert.deepEqual(changed.purposes, ['analytics']);

  const sent = requests.filter(({ url }) => url.includes('/v1/collect')).length;
  const spent = await timeToErase(page, `cmp.say('tcf', { eventStatus: 'useractioncomplete', gdprApplies: true, tcString: '${NONE}' })`);
  assert.ok(spent < 100, `withdrawal took ${spent} ms`);
  await search(page, 'tcf-withdrawn');
  await flush(page);
  await until('the edge to be told', () => requests.filter(({ url }) => url.includes('/v1/collect')).length > sent);
  await page.waitForTimeout(500);
  assert.deepEqual(await ours(page), []);
  assert.equal(await logged('tcf-withdrawn'), undefined);
  await context.close();
});

test('TCF: an error is no consent, a string that cannot be read neither, and both may recover', async () => {
  await publish(TCF);
  const visitor = await arrive({ head: `${IAB}<script>cmp.install(true)</script>` });
  const { context, page } = visitor;
  await search(page, 'tcf-error');
  await say(page, 'tcf', null, false);
  await page.waitForTimeout(WAIT_MS + 300);
  await assertUntouched(visitor, 'an error');
  await tcf(page, 'tcloaded', ALL);
  await arrived('tcf-error');
  for (const text of [`${ALL.slice(0, 20)}`, '', 'COwAdDhOwAdDhN4ABAENAPCgAAQAAv___wAAAFP_AAp_4AI6ACACAA', `${ALL}.*`]) {
    await tcf(page, 'tcloaded', text);
    assert.deepEqual(await ours(page), [], `granted by ${text}`);
  }
  await context.close();
});

test('TCF: no platform at all leaves it to the region, and a late one is heard', async () => {
  await publish(TCF);
  const german = await arrive({ head: IAB });
  await search(german.page, 'late-de');
  await german.page.waitForTimeout(WAIT_MS + 500);
  await assertUntouched(german, 'opt-in without a platform');
  await german.page.evaluate(() => cmp.install(true));
  await tcf(german.page, 'tcloaded', ALL);
  await arrived('late-de');
  await german.context.close();

  // Long enough that a busy machine looks before it is over.
  await publish(TCF, LONG_MS);
  const american = await arrive({ country: 'US', head: IAB });
  await search(american.page, 'late-us');
  await assertUntouched(american, 'opt-out, still waiting');
  const found = await arrived('late-us');
  assert.deepEqual([found.consent.mode, found.consent.signal], ['opt-out', 'none']);
  assert.ok(found.received_at_ms - found.time_ms >= WAIT_MS, 'it was waited for');
  await american.page.evaluate(() => cmp.install(true));
  await tcf(american.page, 'tcloaded', NONE);
  await until('the refusal', async () => (await ours(american.page)).join() === 'selvedge.shop.consent');
  await search(american.page, 'late-us-denied');
  await flush(american.page);
  await american.page.waitForTimeout(300);
  assert.equal(await logged('late-us-denied'), undefined);
  await american.context.close();
});

test('TCF: where it does not apply, the region decides at once', async () => {
  await publish(TCF);
  const { context, page } = await arrive({ country: 'US', head: `${IAB}<script>cmp.install(true)</script>` });
  await tcf(page, 'tcloaded', undefined, false);
  await search(page, 'tcf-not-here');
  await flush(page);
  await arrived('tcf-not-here');
  await context.close();
});

test('the next page goes on under the last answer, and rests where the question is asked anew', async () => {
  await publish(TCF);
  const { context, page, requests } = await arrive({ head: `${IAB}<script>cmp.install(true)</script>` });
  await tcf(page, 'tcloaded', ALL);
  await search(page, 'again-first');
  await flush(page);
  const { visitor } = await arrived('again-first');
  await page.reload();
  await ready(page);
  await search(page, 'again-second');
  await flush(page);
  assert.equal((await arrived('again-second')).visitor, visitor);
  await tcf(page, 'cmpuishown', ALL);
  const sent = requests.length;
  await search(page, 'again-asked');
  await flush(page);
  await page.waitForTimeout(500);
  assert.deepEqual(requests.slice(sent).filter(({ method }) => method !== 'GET'), []);
  await tcf(page, 'useractioncomplete', ALL);
  assert.equal((await arrived('again-asked')).visitor, visitor);
  await context.close();
});

for (const [kind, lines, granting] of [
  ['tcf', TCF, { eventStatus: 'tcloaded', gdprApplies: true, tcString: ALL }],
  ['gpp', '  sources:\n    gpp: true', { pingData: { signalStatus: 'ready', applicableSections: [7], gppString: gpp(false) } }],
]) {
  for (const origin of ['http://top.test', undefined]) {
    test(`${kind}: a frame asks the window above, ${origin ? 'of another origin' : 'of its own'}`, async () => {
      await publish(lines);
      const { context, page, requests } = await visit(browser, { extraHTTPHeaders: { 'cf-ipcountry': 'US' } });
      const inner = `${site.url}/consent-frame`;
      const outer = `${origin ?? site.url}/consent-top`;
      const locator = `<iframe name="__${kind === 'tcf' ? 'tcfapi' : 'gpp'}Locator" hidden></iframe>`;
      const install = `<script>cmp.install(${kind === 'tcf'}, ${kind === 'gpp'})</script>`;
      await context.route(outer, (route) => route.fulfill({ contentType: 'text/html', body: document(`${IAB}${install}${locator}<iframe name="inner" src="${inner}"></iframe>`) }));
      await context.route(inner, (route) => route.fulfill({ contentType: 'text/html', body: document(SCRIPT) }));
      await page.goto(outer);
      const frame = await until('the frame', () => page.frame({ name: 'inner' }));
      await frame.waitForFunction(() => Array.isArray(globalThis.selvedge?.decisions?.()));
      const query = `framed-${kind}-${origin ?? 'own'}`;
      await search(frame, query);
      await until('the listener', () => page.evaluate((kind) => cmp[kind].length > 0, kind));
      assert.deepEqual(requests.filter(({ method }) => method !== 'GET'), []);
      await say(page, kind, granting);
      assert.equal((await arrived(query)).consent.signal, kind);
      await context.close();
    });
  }
}

test('GPP: nothing is read before it is ready; an opt-out removes advertising; a change is heard', async () => {
  await publish('  sources:\n    gpp: true');
  const visitor = await arrive({ country: 'US', head: `${IAB}<script>cmp.install(false, true)</script>` });
  const { context, page } = visitor;
  const ping = (signalStatus, isOut, cmpDisplayStatus = 'hidden') =>
    say(page, 'gpp', { pingData: { signalStatus, cmpDisplayStatus, applicableSections: [7], gppString: gpp(isOut) } });
  await ping('not ready', false, 'visible');
  await search(page, 'gpp-shown');
  await page.waitForTimeout(WAIT_MS + 300);
  await assertUntouched(visitor, 'not ready');
  await ping('ready', true);
  const found = await arrived('gpp-shown');
  assert.deepEqual([found.consent.denied, found.consent.signal, found.consent.text_hash], [['advertising'], 'gpp', hash(gpp(true))]);
  await ping('not ready', false);
  await search(page, 'gpp-between');
  await ping('ready', false);
  await search(page, 'gpp-back');
  await flush(page);
  assert.deepEqual((await arrived('gpp-between')).consent.denied, ['advertising']);
  assert.deepEqual((await arrived('gpp-back')).consent.denied, []);
  await context.close();
});

const MODE = '  sources:\n    consent_mode: true';
const gtag = (...calls) => `<script>
  window.dataLayer = window.dataLayer || [];
  function gtag() { dataLayer.push(arguments); }
  ${calls.map((call) => `gtag(${JSON.stringify(call).slice(1, -1)});`).join('\n')}
</script>`;

test('Consent Mode: the default of the region, the wait, the update, and taking it back', async () => {
  await publish(MODE);
  const denied = { analytics_storage: 'denied', ad_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied', personalization_storage: 'denied' };
  const head = gtag(
    ['consent', 'default', { ...denied, region: ['DE', 'FR'], wait_for_update: 500 }],
    ['consent', 'default', { analytics_storage: 'granted', ad_storage: 'granted' }],
  );
  const visitor = await arrive({ head });
  const { context, page } = visitor;
  await search(page, 'mode-default');
  await page.waitForTimeout(WAIT_MS + 300);
  await assertUntouched(visitor, 'denied by the most special default');
  await page.evaluate(() => gtag('consent', 'update', { analytics_storage: 'granted', ad_storage: 'maybe' }));
  const found = await arrived('mode-default');
  assert.deepEqual([found.consent.granted, found.consent.signal], [['analytics'], 'consent_mode']);
  const spent = await timeToErase(page, `gtag('consent', 'update', { analytics_storage: 'denied' })`);
  assert.ok(spent < 100, `withdrawal took ${spent} ms`);
  await context.close();

  // Elsewhere the general default grants, after the wait for an update.
  const other = await arrive({ country: 'US', head: gtag(['consent', 'default', { analytics_storage: 'granted', ad_storage: 'denied', wait_for_update: LONG_MS }]) });
  await search(other.page, 'mode-elsewhere');
  await assertUntouched(other, 'waiting for an update');
  const later = await arrived('mode-elsewhere');
  assert.deepEqual([later.consent.granted, later.consent.denied], [['analytics'], ['advertising']]);
  await other.context.close();
});

test('Consent Mode is told what is in force where the site asks for it', async () => {
  await publish('  tell_consent_mode: true');
  const { context, page } = await arrive();
  const told = () => page.evaluate(() => (window.dataLayer ?? []).map((call) => Array.from(call)));
  await until('the first', async () => (await told()).length === 1);
  await page.evaluate(() => selvedge.consent({ analytics: true, advertising: false }));
  const [first, last] = await until('the second', async () => (await told()).length === 2 && told());
  assert.deepEqual(first.slice(0, 2), ['consent', 'update']);
  assert.ok(Object.values(first[2]).every((word) => word === 'denied'));
  assert.deepEqual([last[2].analytics_storage, last[2].ad_user_data], ['granted', 'denied']);
  await context.close();
});

/** What platforms look like in a page, and how they say yes to analytics alone, yes to all, and no. */
const PLATFORMS = {
  onetrust: {
    head: `<script>
      window.OnetrustActiveGroups = ',C0001,';
      window.OneTrust = { closed: false, IsAlertBoxClosed: () => OneTrust.closed, heard: [], OnConsentChanged: (callback) => OneTrust.heard.push(callback) };
      window.choose = (groups) => { OneTrust.closed = true; OnetrustActiveGroups = groups; OneTrust.heard.forEach((callback) => callback({ detail: groups.split(',') })); };
    </script>`,
    some: `choose(',C0001,C0002,')`, all: `choose(',C0001,C0002,C0003,C0004,')`, none: `choose(',C0001,')`,
  },
  cookiebot: {
    head: `<script>
      window.Cookiebot = { hasResponse: false, consent: { necessary: true, preferences: false, statistics: false, marketing: false } };
      window.choose = (preferences, statistics, marketing) => {
        Cookiebot.hasResponse = true;
        Object.assign(Cookiebot.consent, { preferences, statistics, marketing });
        dispatchEvent(new Event(statistics ? 'CookiebotOnAccept' : 'CookiebotOnDecline'));
      };
    </script>`,
    some: 'choose(false, true, false)', all: 'choose(true, true, true)', none: 'choose(false, false, false)',
  },
  didomi: {
    head: `<script>
      const ids = ['measure_content_performance', 'market_research', 'improve_products', 'create_content_profile', 'select_personalized_content', 'create_ads_profile', 'select_personalized_ads'];
      let enabled = [], missing = true, heard = [];
      window.Didomi = {
        shouldUserStatusBeCollected: () => missing,
        getCurrentUserStatus: () => ({ purposes: Object.fromEntries(ids.map((id) => [id, { id, enabled: enabled.includes(id) }])) }),
        on: (name, callback) => name === 'consent.changed' && heard.push(callback),
      };
      window.choose = (count) => { missing = false; enabled = ids.slice(0, count); heard.forEach((callback) => callback({})); };
    </script>`,
    some: 'choose(3)', all: 'choose(7)', none: 'choose(0)',
  },
  usercentrics: {
    head: `<script>
      const details = { consent: { type: 'IMPLICIT', status: 'ALL_DENIED' }, categories: { functional: { state: 'ALL_DENIED' }, marketing: { state: 'ALL_DENIED' } } };
      window.__ucCmp = { getConsentDetails: async () => structuredClone(details) };
      window.choose = (functional, marketing) => {
        details.consent.type = 'EXPLICIT';
        details.categories.functional.state = functional ? 'ALL_ACCEPTED' : 'ALL_DENIED';
        details.categories.marketing.state = marketing ? 'ALL_ACCEPTED' : 'ALL_DENIED';
        dispatchEvent(new Event('UC_CONSENT'));
      };
    </script>`,
    some: 'choose(true, false)', all: 'choose(true, true)', none: 'choose(false, false)',
  },
  klaro: {
    head: `<script>
      const watchers = [];
      const manager = { confirmed: false, consents: { analytics: false, personalization: false, advertising: false }, watch: (watcher) => watchers.push(watcher) };
      window.klaro = { getManager: () => manager };
      window.choose = (...given) => {
        manager.confirmed = true;
        Object.keys(manager.consents).forEach((name, at) => { manager.consents[name] = given[at]; });
        watchers.forEach((watcher) => watcher.update(manager, 'consents', manager.consents));
      };
    </script>`,
    some: 'choose(true, false, false)', all: 'choose(true, true, true)', none: 'choose(false, false, false)',
  },
};

for (const [name, { head, some, all, none }] of Object.entries(PLATFORMS)) {
  test(`${name}: shown, accepted, changed, withdrawn`, async () => {
    await publish(`  sources:\n    platform: ${name}`);
    const visitor = await arrive({ head });
    const { context, page } = visitor;
    const choose = (call) => page.evaluate((call) => new Function(call)(), call);
    await search(page, `${name}-shown`);
    await page.waitForTimeout(WAIT_MS + 300);
    await assertUntouched(visitor, 'shown');
    await choose(some);
    const found = await arrived(`${name}-shown`);
    assert.equal(found.consent.signal, 'platform');
    assert.ok(found.consent.granted.includes('analytics') && found.consent.denied.includes('advertising'));
    await choose(all);
    await page.waitForTimeout(20);
    await search(page, `${name}-all`);
    await flush(page);
    assert.deepEqual((await arrived(`${name}-all`)).consent.granted, ['analytics', 'personalization', 'advertising']);
    const spent = await timeToErase(page, none);
    assert.ok(spent < 100, `withdrawal took ${spent} ms`);
    await context.close();
  });
}

test('a platform that shows no banner leaves it to the region, which does not wait for ever', async () => {
  await publish('  sources:\n    platform: onetrust', LONG_MS);
  const { head, none } = PLATFORMS.onetrust;
  const american = await arrive({ country: 'US', head });
  await search(american.page, 'bannerless-us');
  await assertUntouched(american, 'opt-out, still waiting');
  const found = await arrived('bannerless-us');
  assert.deepEqual([found.consent.mode, found.consent.signal], ['opt-out', 'none']);
  assert.ok(found.received_at_ms - found.time_ms >= WAIT_MS, 'it was waited for');
  const spent = await timeToErase(american.page, none, 'selvedge.shop.consent');
  assert.ok(spent < 100, `the objection took ${spent} ms`);
  await american.context.close();

  const german = await arrive({ head });
  await search(german.page, 'bannerless-de');
  await german.page.waitForTimeout(LONG_MS + 500);
  await assertUntouched(german, 'opt-in without a banner');
  await german.context.close();
});

test('a mapping of one\'s own, whose platform comes late', async () => {
  await publish([
    '  sources:', '    platform:', '      listen: [acme-changed]', '      read: acme.choices()', '      answered: "!acme.isOpen"',
    '      map:', '        analytics: [stats]', '        advertising: [ads, profiles]',
  ].join('\n'));
  const visitor = await arrive();
  const { context, page } = visitor;
  await search(page, 'own-late');
  await page.waitForTimeout(WAIT_MS + 300);
  await assertUntouched(visitor, 'not there');
  await page.evaluate(() => {
    window.acme = { isOpen: true, list: ['stats', 'ads'], choices: () => acme.list };
  });
  await page.waitForTimeout(1_300);
  await assertUntouched(visitor, 'not answered');
  await page.evaluate(() => {
    acme.isOpen = false;
    dispatchEvent(new Event('acme-changed'));
  });
  const found = await arrived('own-late');
  assert.deepEqual([found.consent.granted, found.consent.denied], [['analytics'], ['advertising']]);
  await context.close();
});

test('the plain API: a withdrawal counts within 100 ms', async () => {
  await publish(TCF);
  const { context, page } = await arrive({ country: 'US', head: `${IAB}<script>cmp.install(true)</script>` });
  await tcf(page, 'tcloaded', undefined, false);
  await page.evaluate(() => selvedge.consent({ analytics: true, personalization: true }));
  await search(page, 'api-granted');
  await flush(page);
  await arrived('api-granted');
  const denied = '{ analytics: false, personalization: false, advertising: false }';
  const spent = await timeToErase(page, `selvedge.consent(${denied})`, 'selvedge.shop.consent');
  assert.ok(spent < 100, `withdrawal took ${spent} ms`);
  await context.close();
});

test('the strictest counts: the platform, Global Privacy Control and the plain API together', async () => {
  await publish(TCF);
  const { context, page } = await arrive({ head: `${IAB}<script>cmp.install(true)</script>`, gpc: true });
  await tcf(page, 'tcloaded', ALL);
  await page.evaluate(() => selvedge.consent({ personalization: false }));
  await search(page, 'strictest');
  await flush(page);
  const found = await arrived('strictest');
  assert.deepEqual(found.purposes, ['analytics']);
  assert.equal(found.consent.signal, 'api+tcf');
  assert.equal(found.consent.gpc, true, 'the edge saw the header, the page did not');
  await context.close();
});

test('Do Not Track denies everything where the site heeds it', async () => {
  await publish('  dnt: true');
  const visitor = await arrive({ country: 'US', head: '<script>Object.defineProperty(navigator, "doNotTrack", { value: "1" })</script>' });
  await search(visitor.page, 'dnt');
  await flush(visitor.page);
  await visitor.page.waitForTimeout(WAIT_MS + 300);
  assert.equal(await logged('dnt'), undefined);
  assert.deepEqual(visitor.requests.filter((request) => !isAllowed(request)), []);
  await visitor.context.close();
});

test('without its readers the page takes nothing for said', async () => {
  await publish('  sources:\n    gpp: true');
  const visitor = await arrive({ country: 'US', block: '**/consent.js' });
  await search(visitor.page, 'no-readers');
  await visitor.page.waitForTimeout(WAIT_MS + 500);
  await assertUntouched(visitor, 'the readers cannot be had');
  await visitor.context.close();
});

test('the profile of the CNIL measures audiences and nothing else', async () => {
  await publish('  policy_version: 3'.replace('policy_version: 3', 'dnt: false'));
  const { context, page } = await arrive({ country: 'FR' });
  await page.evaluate(() => selvedge.identify('user-1'));
  await search(page, 'cnil');
  await flush(page);
  const found = await arrived('cnil');
  assert.deepEqual([found.consent.mode, found.purposes], ['cnil', ['analytics']]);
  assert.ok(!(await log(site)).some(({ visitor, type }) => visitor === found.visitor && type === 'identify'));
  await page.evaluate(() => selvedge.consent({ analytics: false }));
  assert.deepEqual(await ours(page), ['selvedge.shop.consent']);
  await context.close();
});

test('/.well-known/gpc.json says that the signal is heeded', async () => {
  const answer = await fetch(`${site.url}/.well-known/gpc.json`);
  assert.equal((await answer.json()).gpc, true);
});
