// Consent Mode, the plain API and the signals of browsers, alone and together: what is stored and what leaves, in a real browser against
// the real worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL, IAB, TCF, tcf } from './support/iab.mjs';
import { LONG_MS, WAIT_MS, arrive, arrived, assertUntouched, close, flush, logged, open, ours, publish, search, site, timeToErase } from './support/sources.mjs';
import { isAllowed, log, until } from './support/world.mjs';

before(open);
after(close);

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
