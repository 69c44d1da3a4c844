// What a client costs the page that carries it: ours beside five that sites use (clients.mjs), in one run, on one page, with the same
// events. Per round every client has a visit of its own, in turns, so that a slow minute is everybody's. The main thread's time is
// processor time (Chromium's own count), less what the same page takes without a client.
import { launch, serve, until } from '../../tests/browser/support/world.mjs';
import { median } from '../browser/support/figures.mjs';
import { BATCH, clients } from './clients.mjs';
import { receive, weight } from './receiver.mjs';

const VISITS = Number(process.env.SELVEDGE_BENCH_VISITS ?? 7);
const TURNS = 25;
/** The first turns warm the code up. */
const WARM_TURNS = 5;
const EVENT_MS = 50;
const QUIET_MS = 600;
const LOOKS_MAX = 10;
/** Some clients drop what calls itself headless. */
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** What every page loads of a client. */
const BASE = /\/c\/|(?:loader|selvedge)\.js$|selvedge\.wasm$/;

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const site = await serve();
const receiver = await receive(site.url, process.env.SELVEDGE_PAGE_PEERS);
const browser = await launch();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
try {
  const visits = new Map();
  for (let round = 0; round < VISITS; round += 1) {
    for (const at of ['none', ...clients.keys()]) {
      const found = await visit(at);
      for (const [name, value] of Object.entries(found)) add(visits, at, name, value);
    }
  }
  for (const [at, client] of clients.entries()) tell(client, visits.get(at), visits.get('none'), await calls(at, client));
} finally {
  await browser.close();
  await site.close();
  receiver.close();
}

function add(visits, at, name, value) {
  if (!visits.has(at)) visits.set(at, {});
  (visits.get(at)[name] ??= []).push(value);
}

/** A fresh visitor on the page of a client that is ready and has said its first page view. */
async function opened(at) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, userAgent: AGENT });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  receiver.forget();
  await page.goto(`${receiver.url}/p/${at}`, { waitUntil: 'load' });
  // Looked at seldom: who asks at every frame has frames made, which would be the client's.
  await quiet();
  await until('the client', () => page.evaluate(() => globalThis.client.isReady()));
  await page.evaluate(() => void globalThis.client.flush?.());
  await quiet();
  return { context, page, devtools };
}

/** Waits until nothing more is asked for; some never fall silent. */
async function quiet() {
  let known = -1;
  for (let look = 0; look < LOOKS_MAX && known !== receiver.seen().requests; look += 1) {
    known = receiver.seen().requests;
    await pause(QUIET_MS);
  }
}

async function taskMs(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1_000;
}

/** A visit: the page, then a batch of events as they happen, one after the other. */
async function visit(at) {
  const { context, page, devtools } = await opened(at);
  const startMs = await taskMs(devtools);
  const code = Object.entries(receiver.seen().code);
  const long = await page.evaluate(runEvents, { count: at === 'none' ? 0 : BATCH, everyMs: EVENT_MS });
  await quiet();
  const { requests, posts, sent } = receiver.seen();
  const found = {
    startMs, visitMs: await taskMs(devtools), requests, posts, sent, long,
    code: sum(code.map(weight)),
    base: sum(code.filter(([path]) => BASE.test(path)).map(weight)),
  };
  await context.close();
  return found;
}

/** Runs in the page: gives back how many milliseconds its long tasks took. */
async function runEvents({ count, everyMs }) {
  let longMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longMs += duration;
  });
  observer.observe({ type: 'longtask', buffered: true });
  for (let at = 0; at < count; at += 1) {
    globalThis.client.track('wishlist_add', { sku: `sku-${at}`, category: 'shoes', value: 129.95 });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return longMs;
}

/** Microseconds of single calls, and one batch off the network. */
async function calls(at, { waiting }) {
  const { context, page } = await opened(at);
  receiver.forget();
  await page.evaluate(runCalls, BATCH);
  await settled(page, BATCH);
  const { sent, whole } = receiver.seen();
  const [means, singles, wholes] = [[], [], []];
  for (let turn = 0; turn < TURNS + WARM_TURNS; turn += 1) {
    receiver.forget();
    const spent = await page.evaluate(runCalls, BATCH);
    if (turn >= WARM_TURNS) {
      means.push(sum(spent) / BATCH);
      singles.push(...spent);
    }
    await settled(page, BATCH, waiting);
    receiver.forget();
    const all = await page.evaluate(runTasks, BATCH);
    if (turn >= WARM_TURNS) wholes.push(sum(all) / BATCH);
    await settled(page, BATCH, waiting);
  }
  await context.close();
  return { means, singles, wholes, sent, whole };
}

/** Until what was called has left the page, as the receiver or the client itself counts. */
async function settled(page, count) {
  await page.evaluate(() => void globalThis.client.flush?.());
  const isDone = () => (receiver.seen().events >= count ? true : page.evaluate(() => globalThis.client.waiting?.() === 0));
  await until('what was called to be sent', isDone, 8_000);
  await pause(20);
}

/** Runs in the page. */
function runCalls(count) {
  return Array.from({ length: count }, (_, at) => {
    const properties = { sku: `sku-${at % 40}`, category: 'shoes', value: 129.95 };
    const begin = performance.now();
    globalThis.client.track('wishlist_add', properties);
    return (performance.now() - begin) * 1_000;
  });
}

/** Runs in the page: calls with what they leave for the end of their task. */
async function runTasks(count) {
  const spent = [];
  for (let at = 0; at < count; at += 1) {
    const properties = { sku: `sku-${at % 40}`, category: 'shoes', value: 129.95 };
    const begin = performance.now();
    globalThis.client.track('wishlist_add', properties);
    for (let turn = 0; turn < 4; turn += 1) await undefined;
    spent.push((performance.now() - begin) * 1_000);
  }
  return spent;
}

/** A client's lines. */
function tell({ name, note = {} }, visits, none, { means, singles, wholes, sent, whole }) {
  const print = (figure, value, min, said) => console.log(JSON.stringify({ figure: `page: ${figure}`, of: name, value, min, note: said }));
  const least = (samples) => Math.min(...samples);
  const sorted = singles.sort((one, other) => one - other);
  print('µs of a track call', median(means), least(means), note.call);
  print('µs of a track call, p95', sorted[Math.floor(sorted.length * 0.95)], sorted[0]);
  print('µs of a track call and the rest of its task', median(wholes), least(wholes), note.call);
  if (name === 'floor') return;
  print('code, base bundle', median(visits.base), least(visits.base));
  print('code, all that a visit fetches', median(visits.code), least(visits.code));
  print('ms of main thread until ready', median(visits.startMs) - median(none.startMs), least(visits.startMs) - least(none.startMs));
  print('ms of main thread in a visit', median(visits.visitMs) - median(none.visitMs), least(visits.visitMs) - least(none.visitMs));
  print('ms of long tasks in a visit', median(visits.long), least(visits.long));
  print('requests of a visit', median(visits.requests), least(visits.requests), note.requests);
  print('bytes of events in a visit', median(visits.sent), least(visits.sent));
  print('bytes per event, batch of 20', whole / BATCH, whole / BATCH, note.bytes);
  print('bytes per event, batch of 20, as sent', sent / BATCH, sent / BATCH, note.bytes);
}
