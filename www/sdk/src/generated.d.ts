/** What xtask and build.mjs put into generated/. */
declare module "*/generated/selvedge_bg.js" {
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function handle(length: number): boolean;
}

declare module "*/generated/imports.js" {
  export const imports: WebAssembly.Imports;
}

declare module "*/generated/rules_bg.js" {
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function ask(question: Uint8Array): Uint8Array;
}

declare module "*/generated/rules-imports.js" {
  export const imports: WebAssembly.Imports;
}

declare module "*/generated/strings_bg.js" {
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function read(
    source: number,
    text: Uint8Array,
    sections: Uint8Array,
    vendor: number,
    analytics: number,
    personalization: number,
    advertising: number,
  ): number;
}

declare module "*/generated/strings-imports.js" {
  export const imports: WebAssembly.Imports;
}
