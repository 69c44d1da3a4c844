/**
 * Selvedge in a page: capture events behind consent, and show personalized content.
 *
 * @packageDocumentation
 */
import { begin, type StartOptions, type WasmSource } from "./facade";
import type { Selvedge } from "../types";

export { selvedge } from "./facade";
export type { StartOptions, WasmSource } from "./facade";
export type * from "../types";

/** Where the bundler does not find the WebAssembly modules: Vite, webpack and Next do, esbuild does not. */
export type Modules = {
  /** The client: `selvedge/selvedge.wasm`. */
  readonly wasm?: WasmSource;
  /** The client's second half, which is fetched right after it: `selvedge/later.wasm`. */
  readonly later?: WasmSource;
  /** The rule engine, which is fetched where the site has rules for pages: `selvedge/rules.wasm`. */
  readonly rules?: WasmSource;
  /** What reads consent strings, which is fetched where the site names TCF or GPP as a source: `selvedge/strings.wasm`. */
  readonly strings?: WasmSource;
};

/** Begins, once in a page; gives back {@link selvedge}. On a server it does nothing. */
export function start(options: StartOptions & Modules): Selvedge {
  return begin(
    options,
    () => options.wasm ?? new URL("../dist/selvedge.wasm", import.meta.url),
    () => options.later ?? new URL("../dist/later.wasm", import.meta.url),
    () => options.rules ?? new URL("../dist/rules.wasm", import.meta.url),
    () => options.strings ?? new URL("../dist/strings.wasm", import.meta.url),
  );
}
