// The npm package as sites use it: packed, put into a tiny app of each kind, built offline with the site's own bundler, and run in
// a real browser against the real worker.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { FILE, reference } from '../consumers/api.mjs';
import { build, examples, install } from '../consumers/build.mjs';
import { beside } from './support/site.mjs';
import { launch, log, pass, picture, repository, serve, until, visit } from './support/world.mjs';

const folder = process.env.SELVEDGE_CONSUMERS ?? `${repository}target/consumers`;
const modules = join(folder, 'node_modules');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const GOLD = /Gold members resole for free/;

let files;
let site;
let browser;
before(async () => {
  files = install(folder);
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** The files of a folder as pages. */
const folderPages = (root, html) => {
  const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name));
  const pages = Object.fromEntries(paths.map((path) => [path.slice(root.length), { type: TYPES[extname(path)], body: readFileSync(path) }]));
  return { ...pages, '/': html ? { body: html } : pages['/index.html'] };
};

/** What went wrong in a page, from its first byte. */
const troubles = (page) => {
  const found = [];
  page.on('pageerror', (error) => found.push(`${error}`));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && found.push(message.text()));
  return found;
};

/** The gold hero is shown by the app's own client, and its events arrive. */
async function personalizes(name, pages) {
  const app = await beside(site.url, pages);
  const { context, page } = await visit(browser);
  const found = troubles(page);
  const known = (await log(site)).length;
  await page.goto(`${app.url}/`);
  await page.waitForFunction(() => /Gold/.test(document.querySelector('[data-selvedge-slot="hero"]')?.textContent));
  assert.match(await page.textContent('[data-selvedge-slot="hero"]'), GOLD);
  await until('the callback', () => page.evaluate(() => document.body.dataset.heard === 'gold_hero' || !document.body.dataset.heard));
  await page.evaluate(() => selvedge.flush());
  const visitor = await until(`the events of ${name}`, async () => {
    const lines = await log(site);
    return lines.slice(known).find((line) => line.type === 'identify')?.visitor;
  });
  await until('the exposure', async () => {
    await page.evaluate(() => selvedge.flush());
    const lines = await log(site);
    return lines.some((line) => line.visitor === visitor && line.properties.rule === 'gold-hero');
  });
  assert.deepEqual(found, []);
  await picture(page, `package-${name}`);
  await context.close();
  await app.close();
  return visitor;
}

test('the package holds its modules, types, script files and licence, and nothing else', () => {
  const kinds = new Set(files.filter((file) => file.includes('.')).map((file) => file.replace(/-[A-Z0-9]{8}\./, '-*.')));
  const wanted = ['index', 'slim', 'snippet', 'react', 'server'].flatMap((entry) => [`lib/${entry}.js`, `lib/${entry}.d.ts`]);
  for (const file of [...wanted, 'dist/selvedge.wasm', 'dist/loader.js', 'dist/integrity.json', 'package.json', 'README.md']) {
    assert.ok(kinds.has(file), `${file} of ${[...kinds].join(' ')}`);
  }
  assert.ok(files.includes('LICENSE'));
  assert.deepEqual([...kinds].filter((file) => !/^(?:lib|dist)\/|^(?:package\.json|README\.md)$/.test(file)), []);
});

test('its entries can be imported where there is no window, and calls do nothing there', () => {
  const script = `
    const { selvedge, start } = await import('selvedge');
    const { start: slim } = await import('selvedge/slim');
    const { Slot } = await import('selvedge/react');
    const { decide } = await import('selvedge/server');
    start({ site: 'shop', writeKey: 'wk' });
    slim({ site: 'shop', writeKey: 'wk', wasm: '/x.wasm', later: '/y.wasm' });
    selvedge.track('seen');
    selvedge.slot('hero', () => {})();
    const nobody = await decide({ endpoint: 'http://127.0.0.1:9/', serverKey: 'x' });
    console.log(JSON.stringify([typeof Slot, selvedge.decisions(), selvedge.consent(), nobody]));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: join(folder, 'apps'), encoding: 'utf8' });
  const nothing = { necessary: true, analytics: false, personalization: false, advertising: false };
  assert.deepEqual(JSON.parse(said), ['function', [], nothing, []]);
});

test('its types are strict, whole, and say nothing of how it is made', () => {
  const names = readdirSync(join(modules, 'selvedge/lib')).filter((file) => file.endsWith('.d.ts'));
  for (const name of names) {
    const text = readFileSync(join(modules, 'selvedge/lib', name), 'utf8').replace(/\/\*\*.*?\*\//gs, '');
    assert.doesNotMatch(text, /\bany\b|wbg|bindgen|\bexports\b|Uint8Array/, name);
  }
  for (const resolution of ['bundler', 'nodenext']) {
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', module, '--moduleResolution', resolution, '--types', 'react'];
    const tsc = join(modules, 'typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, ...options, 'types/uses.tsx', '--jsx', 'react-jsx'], { cwd: join(folder, 'apps'), stdio: 'inherit' });
  }
});

/** The pages, and the edge below a folder: whoever asks for it elsewhere, as one who was not told would, finds nothing. */
const edgeBelow = (folder, pages) => (path, { url }) => {
  if (path.startsWith(`${folder}/`)) return { pass: site.url, path: url.slice(folder.length) };
  return pages[path] ?? { status: 404 };
};

test('a script tag of the packed files, which says where the edge is', async () => {
  const { snippet } = await import(join(modules, 'selvedge/lib/snippet.js'));
  const tag = snippet({ site: 'shop', writeKey: 'wk_shop_browser', src: '/static/loader.js', endpoint: '/edge/' });
  const calls = `selvedge.consent({ analytics: true, personalization: true }); selvedge.identify('u-17', { loyalty_tier: 'gold' });`;
  const html = `<!doctype html><title>Tag</title>${tag}<script>${calls}</script><h1 data-selvedge-slot="hero">The page's own</h1>`;
  const pages = folderPages(join(modules, 'selvedge/dist'), html);
  const served = Object.fromEntries(Object.entries(pages).map(([path, page]) => [path === '/' ? path : `/static${path}`, page]));
  await personalizes('script', edgeBelow('/edge', served));
});

for (const [name, html, edge] of [
  ['vite', undefined],
  ['webpack', '<!doctype html><title>webpack</title><h1 data-selvedge-slot="hero">The page\'s own</h1><script src="/main.js"></script>', '/edge'],
  ['esbuild', '<!doctype html><title>esbuild</title><h1 data-selvedge-slot="hero">The page\'s own</h1><script type="module" src="/main.js"></script>'],
]) {
  test(`an app built with ${name}`, { timeout: 120_000 }, async () => {
    await build(name, folder);
    const pages = folderPages(join(folder, 'apps', name, 'dist'), html);
    await personalizes(name, edge ? edgeBelow(edge, pages) : pages);
  });
}

const CALLS = `selvedge.consent({ analytics: true, personalization: true }); selvedge.identify('u-17', { loyalty_tier: 'gold' });`;

for (const [name, number, slot] of [['plain', 0, ''], ['tag-manager', 1, '<h1 data-selvedge-slot="hero">own</h1>']]) {
  test(`the example of the docs: ${name}`, async () => {
    const { STUB } = await import(join(modules, 'selvedge/lib/snippet.js'));
    const html = `<!doctype html><title>Docs</title><script>${STUB};${CALLS}</script>${examples('html')[number]}${slot}`;
    await personalizes(`docs-${name}`, { '/': { body: html } });
  });
}

for (const name of ['app', 'esbuild', 'react']) {
  test(`the example of the docs: ${name}`, async () => {
    const { build: bundle } = createRequire(`${repository}www/package.json`)('esbuild');
    const [example] = examples(name === 'react' ? 'jsx react' : `js ${name}`);
    const mount = name === 'react' ? `import { createRoot } from 'react-dom/client'; createRoot(document.querySelector('main')).render(<App />);` : '';
    const contents = `${example}\n${mount}\nimport { selvedge as client } from '${name === 'esbuild' ? 'selvedge/slim' : 'selvedge'}'; ((selvedge) => { ${CALLS} })(client);`;
    const { outputFiles } = await bundle({
      stdin: { contents, resolveDir: join(folder, 'apps'), loader: 'jsx' },
      bundle: true, write: false, format: 'esm', splitting: true, outdir: '/assets', loader: { '.wasm': 'file' }, jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"production"' }, logLevel: 'error',
    });
    const built = outputFiles.map(({ path, contents }) => [path, { type: TYPES[extname(path)], body: Buffer.from(contents) }]);
    const wasm = ['selvedge', 'later', 'rules'].map((file) => [`/dist/${file}.wasm`, { type: TYPES['.wasm'], body: readFileSync(join(modules, `selvedge/dist/${file}.wasm`)) }]);
    const slot = name === 'react' ? '<main></main>' : '<h1 data-selvedge-slot="hero">own</h1>';
    const html = `<!doctype html><title>Docs</title>${slot}<script type="module" src="/assets/stdin.js"></script>`;
    await personalizes(`docs-${name}`, { ...Object.fromEntries([...built, ...wasm]), '/': { body: html } });
  });
}

test('the reference in docs/api.md is of these types', { timeout: 120_000 }, async () => {
  assert.equal(readFileSync(FILE, 'utf8'), await reference(folder), `write it anew: node tests/consumers/api.mjs ${folder}`);
});

/** A port that nobody listens on. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function startNext() {
  const port = await freePort();
  const env = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: '1',
    SELVEDGE_ENDPOINT: site.url,
    SELVEDGE_SERVER_KEY: site.bindings.SHOP_SERVER_KEY,
  };
  const next = spawn(process.execPath, [join(modules, 'next/dist/bin/next'), 'start', '-p', `${port}`, '-H', '127.0.0.1'], {
    cwd: join(folder, 'apps/next'),
    env,
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  await until('Next', () => fetch(`${url}/promo/summer`).then(({ ok }) => ok, () => false), 60_000);
  return { url, close: () => next.kill('SIGKILL') };
}

/** A visitor whom the edge knows as a gold member. */
async function goldMember() {
  const visitor = '00'.repeat(15) + '17';
  const consent = [{ granted: ['analytics', 'personalization'], denied: [], mode: 'opt-in', policy_version: 1, time: Date.now() }];
  const events = [{ sequence: 1, type: 'identify', name: 'identify', time: Date.now(), properties: { user_id: 'u-99', loyalty_tier: 'gold' }, context: {}, consent: 0 }];
  const batch = { write_key: 'wk_shop_browser', visitor, writer: `${2 ** 30}`, sent_at: Date.now(), skew_ms: 0, floor: 1, clock: 'received', consent, context: {}, events };
  const answer = await fetch(`${site.url}/v1/collect`, { method: 'POST', body: JSON.stringify(batch), headers: { origin: site.url } });
  assert.equal((await answer.json()).accepted, 1);
  return visitor;
}

/** Built and started once, for whichever test comes first. */
let started;
const nextApp = () => (started ??= build('next', folder).then(startNext));
after(async () => (await started)?.close());
const ofEdge = (path) => (/^\/(?:v1|s)\//.test(path) ? { pass: site.url } : undefined);

test('a Next App Router page is rendered with decisions, hydrates without an error, and goes on in the page', { timeout: 300_000 }, async () => {
  const app = await beside((await nextApp()).url, ofEdge);
  const { context, page } = await visit(browser);
  const found = troubles(page);
  try {
    const address = `${app.url}/promo/summer?visitor=${await goldMember()}`;
    const html = await (await fetch(address)).text();
    assert.match(html, /<h1[^>]*data-selvedge-content="gold_hero"[^>]*><a href="\/account">Gold members resole for free/, 'what a rule shows is in the first byte');
    assert.match(html, /<output>banner_sixty_days<\/output>/, 'and so is a fallback');
    await page.goto(address);
    await page.waitForFunction(() => window.selvedge?.decisions?.().length >= 0);
    assert.match(await page.textContent('h1'), GOLD, 'until the edge has answered the page, what the server decided stands');
    await page.evaluate(() => {
      window.heroes = [];
      new MutationObserver(() => heroes.push(document.querySelector('h1').textContent)).observe(document.querySelector('h1'), { childList: true, characterData: true, subtree: true });
    });
    const exposures = async () => {
      await page.evaluate(() => selvedge.flush());
      return (await log(site)).filter((line) => line.type === 'exposure' && line.properties.rule === 'gold-hero').length;
    };
    const before = await exposures();
    await page.click('button');
    await page.waitForFunction(() => /Gold/.test(document.querySelector('h1').textContent));
    assert.equal(await page.textContent('#standing'), 'gold_hero');
    assert.match(await page.getAttribute('h1 a', 'href'), /^\/account$/);
    assert.equal(await page.textContent('output'), 'banner_sixty_days');
    assert.deepEqual(await page.evaluate(() => heroes), [], 'no flicker');
    await until('the exposure', async () => (await exposures()) > before);
    await pass(page, 1_600);
    assert.equal(await exposures(), before + 1, 'what the server rendered and the page goes on with is one');
    assert.deepEqual(found, [], 'no hydration error, no other either');
    await picture(page, 'package-next');
  } finally {
    await context.close();
    await app.close();
  }
});

test('the example of the docs: next', { timeout: 300_000 }, async () => {
  const app = await beside((await nextApp()).url, ofEdge);
  const { context, page } = await visit(browser);
  const found = troubles(page);
  try {
    // The server is asked for 300 ms at most, and the first question of all may take longer: then the page's own stands there.
    const rendered = async () => (await fetch(`${app.url}/?utm_medium=social`)).text();
    const html = await until('the server to decide', async () => /data-selvedge-content/.test(await rendered()) && rendered());
    assert.match(html, /<h1[^>]*data-selvedge-slot="hero"[^>]*>Shoes and gear for the long way round<\/h1>/);
    await page.goto(`${app.url}/?utm_medium=social`);
    await page.waitForFunction(() => window.selvedge?.decisions?.().length >= 0);
    await page.evaluate((calls) => new Function(calls)(), CALLS);
    await page.waitForFunction(() => /Gold/.test(document.querySelector('h1').textContent));
    assert.deepEqual(found, [], 'no hydration error, no other either');
  } finally {
    await context.close();
    await app.close();
  }
});
