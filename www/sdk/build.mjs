// Builds dist/: loader.js (the stub), selvedge.js (glue and hands), selvedge.wasm (the head), plain.js (delivery without
// wasm). The wasm module and its glue stand in generated/ already: `cargo xtask dev` puts them there.
import { build } from "esbuild";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";

process.chdir(import.meta.dirname);

const module = new WebAssembly.Module(await readFile("generated/selvedge_bg.wasm"));
await writeImports(module);
await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await cp("generated/selvedge_bg.wasm", "dist/selvedge.wasm");

const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
  outdir: "dist",
  logLevel: "warning",
};
await build({ ...common, entryPoints: ["src/loader.ts"], format: "iife" });
await build({
  ...common,
  entryPoints: { selvedge: "src/main.ts", plain: "src/plain.ts" },
  format: "esm",
  plugins: [{ name: "host", setup: (esbuild) => esbuild.onResolve({ filter: /\/host\.js$/ }, host) }],
});

/** The glue imports `./host.js`, which is TypeScript here. */
function host() {
  return { path: new URL("src/host.ts", import.meta.url).pathname };
}

/** The module's import object, with what it really imports: the rest of the glue is left out of the bundle. */
async function writeImports(module) {
  const entries = WebAssembly.Module.imports(module);
  const sources = [...new Set(entries.map((entry) => entry.module))];
  const named = (source) => entries.filter((entry) => entry.module === source).map((entry) => entry.name).join(", ");
  const lines = [
    ...sources.map((source) => `import { ${named(source)} } from "${source}";`),
    `export const imports = { ${sources.map((source) => `"${source}": { ${named(source)} }`).join(", ")} };`,
  ];
  await writeFile("generated/imports.js", lines.join("\n"));
}
