// TypeScript modules of the SDK, compiled for tests.
import { build } from "esbuild";

/** A module, loaded here. */
export async function load(source) {
  const code = Buffer.from(await bundle(source, { format: "esm" })).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

/** A module as a script that sets the global `name` to its exports. */
export function compile(source, name) {
  return bundle(source, { format: "iife", globalName: name });
}

async function bundle(source, options) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../src/${source}`, import.meta.url).pathname],
    bundle: true,
    write: false,
    target: "es2022",
    ...options,
  });
  return outputFiles[0].text;
}
