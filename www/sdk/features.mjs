// What each feature of the hands costs: the script that holds it, built once more without the feature's files, whose functions then do
// nothing. What comes out, as JSON: script -> feature -> bytes that travel less (brotli) without it. Features share code, and what two
// share stays with either: so their sum is less than the whole.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { HOST } from "./library.mjs";

const absWorkingDir = import.meta.dirname;

const SCRIPTS = {
  javascript: {
    entry: "src/main.ts",
    features: {
      "clicks and routes, attributes for events": ["capture.ts", "element.ts"],
      "trade in the field's terms": ["ecommerce.ts"],
      "one sender among tabs": ["locks.ts"],
      "what is kept on the device": ["storage.ts"],
      "sending: requests, beacons, deflate": ["transport.ts"],
      "what the site wants captured": ["wanted.ts"],
      "decisions: callbacks, when to fetch what shows them": ["decisions.ts"],
    },
  },
  capture: {
    entry: "src/extras.ts",
    features: Object.fromEntries(
      ["datalayer", "dead", "errors", "exit", "forms", "media", "rage", "scroll", "search", "time", "visibility"]
        .map((kind) => [`\`${kind}\``, [`capture/${kind}.ts`]]),
    ),
  },
  "consent readers": {
    entry: "src/consent/index.ts",
    features: {
      "TCF and GPP": ["consent/iab.ts"],
      "Google Consent Mode": ["consent/mode.ts"],
      "OneTrust and others": ["consent/platform.ts"],
    },
  },
  "shows decisions": {
    entry: "src/slots.ts",
    features: { "typed content into elements, and again": ["dom.ts"], "markup without a parser": ["markup.ts"] },
  },
  preview: { entry: "src/preview.ts", features: { "the overlay that says why": ["overlay.ts"] } },
};

/** Functions of these files do nothing. */
const without = (files) => ({
  name: "without",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!files.some((file) => path.endsWith(`/src/${file}`))) return undefined;
      const names = [...(await readFile(path, "utf8")).matchAll(/^export (?:async )?(?:function|const|let|class) (\w+)/gm)];
      return { contents: names.map(([, name]) => `export const ${name} = () => {};`).join("\n"), loader: "js" };
    });
  },
});

async function weigh(entry, files) {
  const { outputFiles } = await build({
    absWorkingDir, entryPoints: [entry], bundle: true, minify: true, target: "es2022", legalComments: "none", charset: "utf8", format: "esm",
    write: false, outdir: "dist", logLevel: "error",
    plugins: [HOST, without(files)],
  });
  const { contents } = outputFiles.find(({ path }) => basename(path) === basename(entry).replace(/ts$/, "js"));
  return brotliCompressSync(contents).length;
}

const table = {};
for (const [script, { entry, features }] of Object.entries(SCRIPTS)) {
  const whole = await weigh(entry, []);
  const costs = Object.entries(features).map(async ([feature, files]) => [feature, whole - (await weigh(entry, files))]);
  table[script] = Object.fromEntries(await Promise.all(costs));
}
console.log(JSON.stringify(table));
