/** The client of the script tag. */
import { open, type Parts } from "./client";
import type { Stub } from "./stub";

const stub = window.selvedge as Stub | undefined;
const boot = stub?.boot;
if (stub && boot) {
  const { base } = boot;
  const chunk: Parts["chunk"] = (name) => import(`${base}${name}.js`);
  const module = (name: string): Promise<Response> => fetch(`${base}${name}.wasm`, { credentials: "omit" });
  void open(stub, boot, { chunk, module });
}
