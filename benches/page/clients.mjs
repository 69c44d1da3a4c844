// The clients that are measured beside ours: each unmodified, from npm, set up as its own documentation has it, with batches of
// twenty where it has batches. What goes in: nothing. What comes out: for each its name, how a page takes it in, what it needs
// said, and how the receiver answers it and counts its events.

/** What a batch holds, where a client has batches. */
export const BATCH = 20;

const json = (body) => ({ type: 'application/json', body: JSON.stringify(body) });
const CONSENT = '{ analytics: true, personalization: true, advertising: true }';
const OURS = `
  (window.selvedge ??= { q: [] }).q.push(['consent', [${CONSENT}], Date.now()]);
  globalThis.client = {
    track: (name, properties) => selvedge.track(name, properties),
    isReady: () => !!globalThis.selvedge?.consent?.()?.analytics,
    flush: () => selvedge.flush(),
    waiting: () => Object.keys(localStorage).filter((key) => key.startsWith('selvedge.shop.q.')).length,
  };`;
const TAG = '<script async src="/selvedge/v1/loader.js" data-site="shop" data-key="wk_shop_browser"></script>';

/** Ours, on a page without a slot (what the others do) and on one with a slot (what they do not). */
const ours = [
  { name: 'selvedge', inline: OURS, tag: TAG, markup: '' },
  { name: 'selvedge, a slot', inline: OURS, tag: TAG, markup: '<h2 data-selvedge-slot="banner">Sixty days to change your mind</h2>' },
];

/** Nothing but a call that keeps JSON on the device: what is below every client. */
const floor = {
  name: 'floor',
  inline: `let at = 0;
  globalThis.client = {
    track: (name, properties) => localStorage.setItem('floor.' + at++, JSON.stringify({ name, time: Date.now(), properties })),
    isReady: () => true,
    flush: () => { localStorage.clear(); at = 0; },
    waiting: () => 0,
  };`,
};

/** `script` is an ES module beside node_modules; `endpoint` stands where the receiver listens for this client. */
const peers = [
  {
    name: 'snowplow',
    package: '@snowplow/browser-tracker',
    script: `import { flushBuffer, newTracker, trackPageView, trackSelfDescribingEvent } from '@snowplow/browser-tracker';
      newTracker('sp', globalThis.endpoint, { appId: 'shop', bufferSize: ${BATCH} });
      trackPageView();
      const schema = (name) => 'iglu:com.example/' + name + '/jsonschema/1-0-0';
      globalThis.client = { track: (name, data) => trackSelfDescribingEvent({ event: { schema: schema(name), data } }), isReady: () => true, flush: () => flushBuffer() };`,
    answers: () => ({ type: 'text/plain', body: 'ok' }),
    events: ({ data }) => data.length,
  },
  {
    name: 'segment',
    package: '@segment/analytics-next',
    script: `import { AnalyticsBrowser } from '@segment/analytics-next';
      const { origin, host, pathname } = new URL(globalThis.endpoint);
      const deliveryStrategy = { strategy: 'batching', config: { size: ${BATCH}, timeout: 500 } };
      const analytics = AnalyticsBrowser.load({ writeKey: 'wk', cdnURL: origin + pathname },
        { integrations: { 'Segment.io': { apiHost: host + pathname + '/v1', protocol: 'http', deliveryStrategy } } });
      let isReady = false;
      analytics.ready(() => { isReady = true; });
      analytics.page();
      globalThis.client = { track: (name, properties) => analytics.track(name, properties), isReady: () => isReady };`,
    answers: (path) => (path.endsWith('/settings') ? json({ integrations: { 'Segment.io': { apiKey: 'wk' } } }) : json({ success: true })),
    events: ({ batch }) => batch?.length ?? 1,
    note: { requests: 'sends each event alone unless told otherwise; told to here' },
  },
  {
    name: 'posthog-lite',
    package: 'posthog-js-lite',
    script: `import PostHog from 'posthog-js-lite';
      const posthog = new PostHog('phc_key', { host: globalThis.endpoint, flushAt: ${BATCH} });
      posthog.capture('$pageview');
      globalThis.client = { track: (name, properties) => posthog.capture(name, properties), isReady: () => true, flush: () => posthog.flush() };`,
    answers: (path) => (path.includes('/flags') ? json({ flags: {}, featureFlags: {}, featureFlagPayloads: {}, errorsWhileComputingFlags: false }) : json({ status: 1 })),
    events: ({ batch }) => batch?.length ?? 0,
    note: { requests: 'asks for feature flags too' },
  },
  {
    name: 'jitsu',
    package: '@jitsu/js',
    script: `import { jitsuAnalytics } from '@jitsu/js';
      const jitsu = jitsuAnalytics({ host: globalThis.endpoint, writeKey: 'id:secret' });
      jitsu.page();
      globalThis.client = { track: (name, properties) => jitsu.track(name, properties), isReady: () => true };`,
    answers: () => json({ ok: true }),
    events: () => 1,
    note: { bytes: 'no batches', requests: 'no batches', call: 'keeps nothing on the device: what does not arrive is lost' },
  },
  {
    name: 'plausible',
    package: 'plausible-tracker',
    script: `import Plausible from 'plausible-tracker';
      const plausible = Plausible({ domain: 'shop.test', apiHost: globalThis.endpoint, trackLocalhost: true });
      plausible.trackPageview();
      globalThis.client = { track: (name, props) => plausible.trackEvent(name, { props }), isReady: () => true };`,
    answers: () => ({ type: 'text/plain', body: 'ok', status: 202 }),
    events: () => 1,
    note: { bytes: 'no batches', requests: 'no batches', call: 'keeps nothing on the device: what does not arrive is lost' },
  },
];

export const clients = [...ours, ...peers, floor];
