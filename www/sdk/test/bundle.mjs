// TypeScript modules of the SDK, compiled for tests.
import { build } from "esbuild";

/** A module, loaded here. */
export async function load(source) {
  const code = Buffer.from(await bundle(source, { format: "esm" })).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

let loaded = 0;

/** Several modules that share what they import: another instance of them each time. */
export async function loadTogether(...sources) {
  const contents = sources.map((source) => `export * from "./${source}";`).join("\n");
  const stdin = { contents, resolveDir: new URL("../src", import.meta.url).pathname, loader: "ts" };
  const code = Buffer.from(`${await outputOf({ stdin, format: "esm" })}//${++loaded}`).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

/** A module as a script that sets the global `name` to its exports. */
export function compile(source, name) {
  return bundle(source, { format: "iife", globalName: name });
}

function bundle(source, options) {
  return outputOf({ entryPoints: [new URL(`../src/${source}`, import.meta.url).pathname], ...options });
}

async function outputOf(options) {
  const { outputFiles } = await build({ bundle: true, write: false, target: "es2022", ...options });
  return outputFiles[0].text;
}
