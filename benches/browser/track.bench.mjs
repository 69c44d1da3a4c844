// Microseconds that one `track` call takes of the page, in Chromium: the real bundle on the real worker, after consent.
// In the same page, in turns: Snowplow's tracker (its collector is a loopback server that takes everything), and the
// floor, the same event as JSON in localStorage. What happens after the calls (network, acknowledgement) is waited for
// between the turns and not counted.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { launch, ready, repository, serve, visit } from '../../tests/browser/support/world.mjs';
import { print } from './support/figures.mjs';

const CALLS = 50;
const TURNS = 60;
/** The first turns warm the code up. */
const WARM_TURNS = 5;

const requireFromWww = createRequire(`${repository}www/package.json`);

/** Takes everything at once; gives its address and how many events it was told. */
async function collector() {
  const seen = { url: '', events: 0 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'POST') seen.events += JSON.parse(body).data.length;
    response.writeHead(200, {
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'content-type,sp-anonymous',
    });
    response.end();
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  seen.url = `http://127.0.0.1:${server.address().port}`;
  return { seen, close: () => server.close() };
}

/** Snowplow's tracker as a script that puts it under `peer`. */
async function snowplow() {
  const { build } = requireFromWww('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "@snowplow/browser-tracker"', resolveDir: `${repository}www` },
    bundle: true, minify: true, format: 'iife', globalName: 'peer', write: false, target: 'es2022',
  });
  return outputFiles[0].text;
}

const site = await serve();
const peer = await collector();
const browser = await launch();
try {
  const { page } = await visit(browser);
  await page.goto(`${site.url}/`);
  await ready(page);
  await page.click('[data-consent="all"]');
  await page.addScriptTag({ content: await snowplow() });
  const spent = await page.evaluate(measure, { calls: CALLS, turns: TURNS + WARM_TURNS, collector: peer.seen.url });
  const counted = (samples) => samples.slice(WARM_TURNS);
  for (const [name, samples] of Object.entries(spent.microseconds)) print(name, counted(samples));
  const told = CALLS * (TURNS + WARM_TURNS);
  console.log(`of ${told} events each, the edge acknowledged ${spent.accepted}, Snowplow's collector was sent ${peer.seen.events}`);
} finally {
  await browser.close();
  await site.close();
  peer.close();
}

/** Runs in the page. */
async function measure({ calls, turns, collector: endpoint }) {
  const properties = (at) => ({ sku: `sku-${at % 40}`, category: 'shoes', value: 129.95, currency: 'EUR' });
  const settled = (isSettled) => new Promise((resolve) => {
    const end = performance.now() + 5_000;
    const look = () => (isSettled() || performance.now() > end ? setTimeout(resolve, 20) : setTimeout(look, 10));
    look();
  });
  const queued = () => Object.keys(localStorage).filter((key) => key.startsWith('selvedge.shop.q.')).length;
  const waiting = () => Object.keys(localStorage)
    .filter((key) => key.startsWith('snowplowOutQueue') && !key.endsWith('.expires'))
    .reduce((sum, key) => sum + JSON.parse(localStorage.getItem(key) || '[]').length, 0);
  let accepted = 0;
  globalThis.selvedge.on('accepted', ({ count }) => {
    accepted += count;
  });
  globalThis.peer.newTracker('sp', endpoint, { appId: 'shop' });
  const schema = 'iglu:com.example/product_view/jsonschema/1-0-0';
  const ways = {
    'track call': {
      call: (at) => globalThis.selvedge.track('product_view', properties(at)),
      settle: async () => {
        globalThis.selvedge.flush();
        await settled(() => queued() === 0);
      },
    },
    'track call of Snowplow': {
      call: (at) => globalThis.peer.trackSelfDescribingEvent({ event: { schema, data: properties(at) } }),
      settle: () => settled(() => waiting() === 0),
    },
    'track call, floor (JSON to localStorage)': {
      call: (at) => {
        const event = { name: 'product_view', time: Date.now(), properties: properties(at) };
        localStorage.setItem(`floor.${at}`, JSON.stringify(event));
      },
      settle: async () => {
        for (let at = 0; at < calls; at += 1) localStorage.removeItem(`floor.${at}`);
      },
    },
  };
  const microseconds = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, { call, settle }] of Object.entries(ways)) {
      const begin = performance.now();
      for (let at = 0; at < calls; at += 1) call(at);
      microseconds[name].push(((performance.now() - begin) * 1_000) / calls);
      await settle();
    }
  }
  return { microseconds, accepted };
}
