// The reference of the npm package, docs/api.md, from its types: `node api.mjs <folder the packages were installed into>` writes it.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ENTRIES = ['index', 'slim', 'react', 'server', 'snippet'];
export const FILE = fileURLToPath(new URL('../../docs/api.md', import.meta.url));

/** The reference, of the types of `node_modules/selvedge` in `folder`. */
export async function reference(folder) {
  const require = createRequire(join(folder, 'package.json'));
  const typedoc = await import(pathToFileURL(require.resolve('typedoc')));
  const lib = join(folder, 'node_modules/selvedge/lib');
  const out = join(folder, 'api');
  const tsconfig = join(folder, 'api.json');
  const compilerOptions = { module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', strict: true, types: ['react'] };
  writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: ENTRIES.map((entry) => join(lib, `${entry}.d.ts`)) }));
  const app = await typedoc.Application.bootstrapWithPlugins({
    entryPoints: ENTRIES.map((entry) => join(lib, `${entry}.d.ts`)),
    tsconfig,
    plugin: [pathToFileURL(require.resolve('typedoc-plugin-markdown')).href],
    // Else it clears the folder `docs` of whoever runs it.
    out,
    outputs: [{ name: 'markdown', path: out }],
    outputFileStrategy: 'modules',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    hidePageTitle: true,
    disableSources: true,
    readme: 'none',
    useCodeBlocks: true,
    expandObjects: true,
    parametersFormat: 'table',
    propertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    excludeExternals: false,
    excludeNotDocumented: false,
    logLevel: 'Warn',
    skipErrorChecking: true,
    entryFileName: 'index',
  });
  const project = await app.convert();
  if (!project) throw new Error('the types could not be read');
  await app.generateOutputs(project);
  return text(out);
}

/** One page of all modules. Links between them become links within the page. */
function text(out) {
  const files = readdirSync(out).filter((file) => file.endsWith('.md') && file !== 'index.md');
  const names = ENTRIES.map((entry) => [entry, files.find((file) => file.replace('.md', '').endsWith(entry)) ?? (entry === 'index' ? 'index-1.md' : '')]);
  const parts = names.map(([entry, file]) => {
    const name = entry === 'index' ? 'selvedge' : `selvedge/${entry}`;
    const body = readFileSync(join(out, file), 'utf8').replace(/\]\((?!http)[^)#]*#/g, '](#').replace(/\]\((?!http|#)[^)]*\.md\)/g, ']').trim();
    return `## ${name}\n\n${body.replace(/^(#+) /gm, '#$1 ')}`;
  });
  return `# The npm package\n\nMade from its types by \`tests/consumers/api.mjs\`. How to use it: [site.md](site.md).\n\n${parts.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, await reference(process.argv[2]));
