// A site of its own origin beside the worker: its pages are given here, everything else is asked of the worker. So a page may
// have any markup and any header, and still stand on the worker's own origin as far as its scripts know.
import { createServer, request } from 'node:http';

/**
 * Serves `pages` (address without a query -> `{body, headers, type}`, or `{pass, path}`: another address to ask, under the same path where none
 * is said; or a function of it), the rest from `url`.
 */
export async function beside(url, pages) {
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, 'http://site.test');
    if (pathname === '/favicon.ico') return answer.writeHead(204).end();
    const page = typeof pages === 'function' ? pages(pathname, asked) : pages[pathname];
    if (!page || page.pass) return pass(new URL(page?.path ?? asked.url, page?.pass ?? url), asked, answer);
    answer.writeHead(page.status ?? 200, { 'content-type': page.type ?? 'text/html; charset=utf-8', ...page.headers });
    return answer.end(page.body);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  // A test that fails leaves it open.
  server.unref();
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((closed) => {
      server.closeAllConnections();
      server.close(closed);
    }),
  };
}

function pass(url, asked, answer) {
  const { host, ...headers } = asked.headers;
  if (headers.origin === `http://${host}`) headers.origin = url.origin;
  const passed = request(url, { method: asked.method, headers }, (response) => {
    answer.writeHead(response.statusCode, response.headers);
    response.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}

/** The shop's page with the script tag, `body` inside. */
export const page = (body, { script = '', attributes = '' } = {}) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Site</title>
<script async ${attributes} src="/selvedge/v1/loader.js" data-site="shop" data-key="wk_shop_browser"></script>${script}</head><body>${body}</body></html>`;
