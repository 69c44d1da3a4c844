// A TypeScript module of the shop, compiled for a test.
import { build } from "esbuild";

export async function load(source) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../src/${source}`, import.meta.url).pathname],
    bundle: true,
    format: "esm",
    write: false,
    target: "es2022",
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}
