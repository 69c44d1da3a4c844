// Builds the apps against the packed package, as a site would: in a folder of their own beside the installed bundlers, offline.
// What goes in: the folder that `package.json` was installed into. What comes out: `apps/<name>/dist` in it, and for Next `.next`, with
// the recipe of docs/site.md as the app's first page.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const sdk = join(here, '../../www/sdk');

const docs = readFileSync(join(here, '../../docs/site.md'), 'utf8');

/** Examples of docs/site.md, word for word: all of a language, or the one that its fence names. */
export const examples = (fence) =>
  [...docs.matchAll(/```([^\n]+)\n(.*?)\n```/gs)].filter(([, found]) => found === fence).map(([, , text]) => text);

/** Puts the package into `folder` as `npm install` would from its tarball; gives the names of the files it holds. */
export function install(folder) {
  const packed = join(folder, 'packed');
  const modules = join(folder, 'node_modules/selvedge');
  for (const old of [packed, modules]) {
    rmSync(old, { recursive: true, force: true });
    mkdirSync(old, { recursive: true });
  }
  execFileSync('npm', ['pack', '--silent', '--pack-destination', packed], { cwd: sdk });
  const [tarball] = readdirSync(packed);
  execFileSync('tar', ['-xzf', join(packed, tarball), '-C', modules, '--strip-components=1']);
  rmSync(join(folder, 'apps'), { recursive: true, force: true });
  cpSync(join(here, 'apps'), join(folder, 'apps'), { recursive: true });
  return readdirSync(modules, { recursive: true }).map(String);
}

const builders = {
  async vite(folder, module) {
    const { build } = await module('vite');
    await build({ root: folder, logLevel: 'error', build: { outDir: 'dist', assetsInlineLimit: 0 } });
  },
  async webpack(folder, module) {
    const { default: webpack } = await module('webpack');
    const output = { path: join(folder, 'dist'), filename: 'main.js', publicPath: 'auto' };
    const compiler = webpack({ mode: 'production', context: folder, entry: './main.js', output, performance: { hints: false } });
    const stats = await new Promise((done, fail) => compiler.run((error, stats) => (error ? fail(error) : done(stats))));
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  },
  async esbuild(folder) {
    const { build } = createRequire(join(sdk, 'package.json'))('esbuild');
    const options = { format: 'esm', splitting: true, loader: { '.wasm': 'file' }, target: 'es2022', minify: true };
    await build({ absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, outdir: 'dist', logLevel: 'error', ...options });
  },
  async next(folder) {
    writeFileSync(join(folder, 'app/page.jsx'), examples('jsx next')[0]);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    writeFileSync(join(folder, 'next.config.mjs'), `export default { turbopack: { root: ${JSON.stringify(join(folder, '../..'))} } };\n`);
    const next = join(folder, '../../node_modules/next/dist/bin/next');
    execFileSync(process.execPath, [next, 'build'], { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }, stdio: 'pipe' });
  },
};

/** Builds the app of this name. */
export async function build(name, folder) {
  const require = createRequire(join(folder, 'package.json'));
  const module = (wanted) => import(pathToFileURL(require.resolve(wanted)));
  await builders[name](join(folder, 'apps', name), module);
}
