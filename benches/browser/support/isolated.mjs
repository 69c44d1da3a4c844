// A page of an origin of its own, with these files; isolated, because that makes the page's clock a fine one.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const TYPES = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' };

/** `files`: the paths of files by the path they are asked for. Gives back the page, opened, and what closes it. */
export async function isolated(browser, files) {
  const server = createServer(({ url }, response) => {
    const file = files[url];
    const found = file !== undefined || url === '/';
    response.writeHead(found ? 200 : 404, {
      'content-type': TYPES[url.split('.').pop()] ?? 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(file === undefined ? '<!doctype html><title>bench</title><link rel=icon href=data:,>' : readFileSync(file));
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return { page, close: () => server.close() };
}
