/** The rule engine: loads its wasm module, and gives back the function that answers questions of the head. */
import { __wbg_set_wasm, ask } from "../generated/rules_bg.js";
import { imports } from "../generated/rules-imports.js";

export async function open(source: Promise<Response>): Promise<(question: Uint8Array) => Uint8Array> {
  const module = await (await source).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(module, imports);
  __wbg_set_wasm(instance.exports);
  return ask;
}
