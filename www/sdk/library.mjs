// The npm package: modules of lib/ that a bundler takes apart, their types, and the hashes of the files of dist/.
import { build } from "esbuild";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const ENTRIES = ["index", "slim", "snippet", "react", "server"];

/** The glue imports `./host.js`, which is TypeScript here. */
export const HOST = {
  name: "host",
  setup: (esbuild) =>
    esbuild.onResolve({ filter: /\/host\.js$/ }, () => ({ path: new URL("src/host.ts", import.meta.url).pathname })),
};

export async function buildLibrary() {
  await rm("lib", { recursive: true, force: true });
  await mkdir("lib");
  await build({
    entryPoints: ENTRIES.map((entry) => `src/package/${entry}.ts`),
    outdir: "lib",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    charset: "utf8",
    external: ["react"],
    plugins: [HOST],
    logLevel: "warning",
  });
  await writeTypes();
  await cp("../../LICENSE", "LICENSE");
}

/** The types that the entries name, each beside its module. */
async function writeTypes() {
  const folder = await mkdtemp(join(tmpdir(), "selvedge-types-"));
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--stripInternal", "--rootDir", "src", "--outDir", folder];
  await promisify(execFile)(process.execPath, [tsc, "--project", ".", ...emit]);
  const wanted = ENTRIES.map((entry) => `package/${entry}`);
  for (const module of wanted) {
    const text = await readFile(join(folder, `${module}.d.ts`), "utf8");
    const named = text.replace(/(from |import\()"(\.[^"]*)"/g, (_, before, path) => {
      const found = join(dirname(module), path);
      if (!wanted.includes(found)) wanted.push(found);
      return `${before}"./${found.split("/").pop()}.js"`;
    });
    await writeFile(`lib/${module.split("/").pop()}.d.ts`, named);
  }
  await rm(folder, { recursive: true });
}

/** What Subresource Integrity and a content security policy call the files of dist/, and the inline stub. */
export async function hashes() {
  const { STUB } = await import(pathToFileURL("lib/snippet.js").href);
  const files = (await readdir("dist")).filter((file) => /\.(?:js|wasm)$/.test(file)).sort();
  const hash = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
  const found = await Promise.all(files.map(async (file) => [file, hash(await readFile(`dist/${file}`))]));
  return Object.fromEntries([...found, ["stub", hash(STUB)]]);
}
