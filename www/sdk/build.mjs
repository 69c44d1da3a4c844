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
  const start = WebAssembly.Module.exports(module).find(({ name }) => name === "__wbindgen_start");
  if (start) throw new Error("the module wants __wbindgen_start called: something in it takes a JavaScript value");
  const byModule = Map.groupBy(WebAssembly.Module.imports(module), (entry) => entry.module);
  const names = [...byModule.values()].flat().map((entry) => entry.name);
  const objects = [...byModule].map(
    ([from, entries]) => `${JSON.stringify(from)}: { ${entries.map((entry) => entry.name).join(", ")} }`,
  );
  await writeFile(
    "generated/imports.js",
    `import { ${names.join(", ")} } from "./selvedge_bg.js";\nexport const imports = { ${objects.join(", ")} };\n`,
  );
}
