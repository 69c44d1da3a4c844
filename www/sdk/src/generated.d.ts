/** What xtask and build.mjs put into generated/. */
declare module "*/generated/selvedge_bg.js" {
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function handle(input: Uint8Array): boolean;
}

declare module "*/generated/imports.js" {
  export const imports: WebAssembly.Imports;
}
