// Builds dist/: loader.js (the stub), selvedge.js (glue and hands), selvedge.wasm and later.wasm (the head), rules.js and rules.wasm (the
// rule engine, fetched where a program has rules), plain.js (delivery without wasm), consent.js and strings.wasm (readers of consent
// platforms, and of the strings of the IAB, fetched where a site names any), extras.js, or vitals.js (what is captured beyond clicks and page views; with web vitals), identity.js (the
// visitor's id in a cookie and in links, fetched where a site asks for either), slots.js (shows
// decisions), preview.js (the overlay), integrity.json; and lib/, the modules of the npm package. The wasm modules and their glue
// stand in generated/ already: `cargo xtask dev` puts them there.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { minify } from "terser";
import { buildLibrary, HOST, hashes } from "./library.mjs";
import { shorten } from "./imports.mjs";

/**
 * Has Chromium compile all functions of a script at once, while it comes: nearly all of them run right behind it, and one by one, on the
 * main thread, they take three times as long. Other browsers read a comment.
 */
const EAGER = "//# allFunctionsCalledOnLoad\n";

process.chdir(import.meta.dirname);

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await place("selvedge", "imports");
await copyFile("generated/later.wasm", "dist/later.wasm");
await place("rules", "rules-imports");
await place("strings", "strings-imports");

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
const { metafile } = await build({
  ...common,
  metafile: true,
  entryPoints: {
    selvedge: "src/main.ts",
    consent: "src/consent/index.ts",
    identity: "src/identity.ts",
    plain: "src/plain.ts",
    preview: "src/preview.ts",
    rules: "src/rules.ts",
    slots: "src/slots.ts",
  },
  format: "esm",
  plugins: [HOST],
});

// What not every page needs: each page fetches one of the two.
await build({ ...common, entryPoints: ["src/extras.ts", "src/vitals.ts"], format: "esm" });
await shrink();
// How many bytes of selvedge.js each source file has: for docs/bytes.md.
const shares = Object.entries(metafile.outputs["dist/selvedge.js"].inputs);
const bytes = shares.map(([file, { bytesInOutput }]) => [file, bytesInOutput]);
await writeFile("generated/shares.json", JSON.stringify(Object.fromEntries(bytes)));
await buildLibrary();
await writeFile("dist/integrity.json", `${JSON.stringify(await hashes(), null, 2)}\n`);

/**
 * Each script once more by terser, which finds 5 % of what travels that esbuild leaves. Unsafe are arrows and methods in place of functions
 * only where somebody calls them with `new`: nobody does.
 */
async function shrink() {
  const scripts = (await readdir("dist")).filter((file) => file.endsWith(".js"));
  for (const file of scripts) {
    const compress = { passes: 5, hoist_funs: true, unsafe_arrows: true, unsafe_methods: true };
    const options = { module: file !== "loader.js", ecma: 2022, compress };
    const { code = "" } = await minify(await readFile(`dist/${file}`, "utf8"), options);
    await writeFile(`dist/${file}`, (file === "loader.js" ? "" : EAGER) + code);
  }
}

/** A module into dist/, and its import object, with what it really imports: the rest of the glue is left out of the bundle. */
async function place(name, file) {
  const { module, script } = shorten(await readFile(`generated/${name}_bg.wasm`));
  await writeFile(`generated/${file}.js`, script);
  await writeFile(`dist/${name}.wasm`, module);
}
