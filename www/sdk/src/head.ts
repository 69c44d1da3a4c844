/** The head: the wasm module, and what is said to it. Kinds of inputs as in crates/selvedge-client/src/crossing.rs. */
import { __wbg_set_wasm, handle } from "../generated/selvedge_bg.js";
import { imports } from "../generated/imports.js";
import { Writer } from "./encode";

export const Kind = {
  boot: 0,
  settings: 1,
  program: 2,
  consent: 3,
  capture: 4,
  page: 5,
  seen: 6,
  tick: 7,
  hidden: 8,
  awake: 9,
  flush: 10,
  reset: 11,
  replied: 12,
  adopted: 13,
  changed: 14,
} as const;

let isAlive = false;

/** Starts the module. Rejects where it cannot run (an old browser, a policy without `wasm-unsafe-eval`). */
export async function startHead(source: Promise<Response>): Promise<void> {
  const module = await (await source).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(module, imports);
  __wbg_set_wasm(instance.exports);
  isAlive = true;
}

/** A writer of an input that happens now. */
export function input(kind: number): Writer {
  return new Writer(kind);
}

/** Tells the head. False where it did not take it. A module that trapped is left alone from then on. */
export function tell(writer: Writer): boolean {
  try {
    return isAlive && handle(writer.done());
  } catch {
    isAlive = false;
    return false;
  }
}

/** Fresh random bytes. */
export function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
