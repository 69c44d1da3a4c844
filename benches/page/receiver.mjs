// The origin that every measured page stands on: it gives the pages and the clients' scripts, takes what the others' clients post
// and counts it, and asks the worker for what is ours. What comes out: per client what it fetched and what it posted.
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { brotliCompressSync, gunzipSync, inflateRawSync } from 'node:zlib';
import { repository } from '../../tests/browser/support/world.mjs';
import { clients } from './clients.mjs';

const { build } = createRequire(`${repository}www/package.json`)('esbuild');
/** Isolated, because that makes the page's clock a fine one. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const FLAG_DEFLATE = 1;
const PREAMBLE_BYTES = 2;

const CARDS = Array.from({ length: 60 }, (_, at) => `<li><a href="#p${at}">Shoe ${at}</a><p>Made to be repaired, ${60 + at} EUR</p></li>`).join('');

/** The page of a client; without one it is the page alone. */
function html(at, { inline = '', tag = '', markup = '' } = {}) {
  const begins = `<script>globalThis.endpoint = location.origin + '/r/${at}';globalThis.client = { isReady: () => ${at === 'none'} };${inline}</script>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">${begins}${tag}</head>
<body><h1>Shoes and gear</h1>${markup}<ul>${CARDS}</ul></body></html>`;
}

/** A peer as sites ship it: bundled and minified, from the folder that its package was installed into. */
async function bundled({ script }, folder) {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: folder }, bundle: true, minify: true, format: 'iife', write: false, target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** What a body was before it was packed. */
function unpacked(body, { 'content-encoding': encoding = '' }, url) {
  if (encoding === 'gzip' || url.includes('compression=gzip')) return gunzipSync(body);
  return body;
}

/** Starts it; `worker` is where ours is asked. */
export async function receive(worker, folder) {
  const scripts = await Promise.all(clients.map((client) => (client.script ? bundled(client, folder) : undefined)));
  let seen;
  const forget = () => {
    seen = { requests: 0, code: {}, posts: 0, sent: 0, whole: 0, events: 0 };
  };
  forget();
  const server = createServer(async (asked, answer) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { pathname } = new URL(asked.url, 'http://page.test');
    const [, kind, number] = pathname.split('/');
    if (kind === 'p') return give(answer, html(number, pageOf(number, scripts)), 'text/html');
    seen.requests += 1;
    if (kind === 'c') return give(answer, fetched(pathname, scripts[number]), 'text/javascript');
    if (kind === 'r') return take(clients[number], asked, body, answer);
    return pass(worker, asked, body, answer);
  });
  const fetched = (path, text) => {
    seen.code[path] = text;
    return text;
  };
  const take = ({ answers, events }, asked, body, answer) => {
    const { type, body: text, status = 200 } = answers(asked.url);
    const isEvents = body.length > 0 && !asked.url.includes('/flags');
    if (isEvents) {
      const whole = unpacked(body, asked.headers, asked.url);
      count(body, whole, events(JSON.parse(whole)));
    }
    give(answer, text, type, status);
  };
  const count = (body, whole, events) => {
    seen.posts += 1;
    seen.sent += body.length;
    seen.whole += whole.length;
    seen.events += events;
  };
  const pass = (url, asked, body, answer) => {
    if (asked.method === 'POST' && asked.url === '/v1/collect') {
      const packed = body[1] === FLAG_DEFLATE ? inflateRawSync(body.subarray(PREAMBLE_BYTES)) : body.subarray(PREAMBLE_BYTES);
      count(body, Buffer.concat([body.subarray(0, PREAMBLE_BYTES), packed]), 0);
    }
    const { host, ...headers } = asked.headers;
    if (headers.origin === `http://${host}`) headers.origin = url;
    const passed = request(new URL(asked.url, url), { method: asked.method, headers }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      const found = Buffer.concat(parts);
      if (/javascript|wasm/.test(response.headers['content-type'])) fetched(asked.url, decoded(found, response.headers));
      answer.writeHead(response.statusCode, { ...response.headers, ...ISOLATED });
      answer.end(found);
    });
    passed.on('error', () => answer.destroy());
    passed.end(body);
  };
  server.listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen: () => seen,
    forget,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const weights = new Map();

/** Bytes of what was fetched from `path`, as it travels. */
export function weight([path, text]) {
  if (!weights.has(path)) weights.set(path, brotliCompressSync(text).length);
  return weights.get(path);
}

/** Page `none` has no client. */
function pageOf(number, scripts) {
  const client = clients[number];
  return client && scripts[number] ? { ...client, tag: `<script async src="/c/${number}"></script>` } : client;
}

function decoded(body, { 'content-encoding': encoding }) {
  return encoding === 'gzip' ? gunzipSync(body) : body;
}

function give(answer, body, type, status = 200) {
  answer.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', ...ISOLATED });
  answer.end(body);
}
