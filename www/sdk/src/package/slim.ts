/**
 * The same client where the caller brings the WebAssembly modules: from the own server, a CDN, or as bytes in the bundle.
 *
 * @packageDocumentation
 */
import { begin, type StartOptions, type WasmSource } from "./facade";
import type { Selvedge } from "../types";

export { selvedge } from "./facade";
export type { StartOptions, WasmSource } from "./facade";
export type * from "../types";

/** What the caller brings. */
export type Modules = {
  /** The client: `selvedge/selvedge.wasm`. */
  readonly wasm: WasmSource;
  /** The client's second half, which is fetched right after it: `selvedge/later.wasm`, of the same version. */
  readonly later: WasmSource | (() => WasmSource);
  /** The rule engine, which is fetched where the site has rules for pages: `selvedge/rules.wasm`. Left out: the edge decides. */
  readonly rules?: WasmSource | (() => WasmSource);
  /**
   * What reads consent strings, which is fetched where the site names TCF or GPP as a source: `selvedge/strings.wasm`. Left out: what
   * such a source grants is not known, so that it grants nothing.
   */
  readonly strings?: WasmSource | (() => WasmSource);
};

/** Begins, once in a page; gives back {@link selvedge}. On a server it does nothing. */
export function start(options: StartOptions & Modules): Selvedge {
  const { wasm, later, rules, strings } = options;
  return begin(
    options,
    () => wasm,
    () => (typeof later === "function" ? later() : later),
    () => (typeof rules === "function" ? rules() : rules),
    () => (typeof strings === "function" ? strings() : strings),
  );
}
