// The platforms of the IAB, step by step: TCF and GPP, in the page and in a frame. Strings are made by the IAB's own libraries.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL, ANALYTICS, IAB, NONE, TCF, gpp, hash, say, tcf } from './support/iab.mjs';
import { LONG_MS, SCRIPT, WAIT_MS, arrive, arrived, assertUntouched, browser, close, document, flush, logged, open, ours, publish, search, site, timeToErase } from './support/sources.mjs';
import { ready, until, visit } from './support/world.mjs';

before(open);
after(close);

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
