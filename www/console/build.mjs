// Builds the console into dist/: one module, one stylesheet, one page. Served from `/console/`.
import { build } from "esbuild";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  entryPoints: { console: join(root, "src/main.tsx"), style: join(root, "src/style.css") },
  outdir: join(dist, "assets"),
  bundle: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
});
cpSync(join(root, "index.html"), join(dist, "index.html"));
cpSync(join(root, "static"), dist, { recursive: true });
