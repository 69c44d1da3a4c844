// Consent platforms by name, and by a mapping of one's own, step by step: what is stored and what leaves at each.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LONG_MS, WAIT_MS, arrive, arrived, assertUntouched, close, flush, open, publish, search, timeToErase } from './support/sources.mjs';

before(open);
after(close);

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
