// A site of one test: pages and scripts of its own in front of a real worker, all at one address. In: what is served by path.
// Out: its address, the worker's log, and what its pages reported.
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { log, repository, serve } from './world.mjs';

const { build } = createRequire(`${repository}www/package.json`)('esbuild');

/** The script tag; `attributes` stand in it besides. */
export const tag = (attributes = '') => `<script async src="/selvedge/v1/loader.js" data-site="lab" data-key="wk_lab" ${attributes}></script>`;
export const html = (body, head = tag()) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lab</title>${head}</head><body>${body}</body></html>`;

/** An app of `tests/browser/apps`, with what it imports from npm, as one script. */
export async function bundled(name) {
  const { outputFiles } = await build({
    entryPoints: [`${repository}tests/browser/apps/${name}`],
    bundle: true,
    write: false,
    minify: true,
    jsx: 'automatic',
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"production"' },
    nodePaths: [`${repository}www/node_modules`],
  });
  return outputFiles[0].text;
}

/** Serves `files` (path to text, or to a Buffer), and the worker of the site of this fixture behind them. */
export async function lab(files, fixture = 'capture') {
  const site = await serve({ SELVEDGE_SITE: `${repository}tests/fixtures/${fixture}` });
  const reports = [];
  const server = createServer((asked, answer) => {
    const { pathname, searchParams } = new URL(asked.url, 'http://lab');
    if (pathname === '/report') {
      reports.push(Object.fromEntries(searchParams));
      return answer.end();
    }
    const file = files[pathname];
    if (file === undefined) return forward(site.url, asked, answer);
    const types = { js: 'text/javascript', wav: 'audio/wav', webm: 'video/webm' };
    answer.setHeader('content-type', types[pathname.split('.')[1]] ?? 'text/html');
    return answer.end(file);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    token: site.token,
    reports,
    /** The log's lines from its `from`th on. */
    lines: async (from = 0) => (await log(site)).slice(from),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await site.close();
    },
  };
}

function forward(to, asked, answer) {
  const { hostname, port } = new URL(to);
  const { method, headers, url: path } = asked;
  const passed = request({ hostname, port, path, method, headers }, (found) => {
    answer.writeHead(found.statusCode, found.headers);
    found.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}

/** So many seconds of nothing to hear. */
export function silence(seconds) {
  const rate = 8_000;
  const data = Buffer.alloc(44 + rate * seconds, 128);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + rate * seconds, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate, 28);
  data.writeUInt16LE(1, 32);
  data.writeUInt16LE(8, 34);
  data.write('data', 36);
  data.writeUInt32LE(rate * seconds, 40);
  return data;
}
