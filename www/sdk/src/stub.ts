/** What stands in for the client until it is there, and what the browser is asked that not all know. */
import type { Selvedge } from "./types";

/** A call that came before the client was ready: method, arguments, when. */
export type Call = readonly [method: keyof Selvedge, parameters: readonly unknown[], time: number];

/** What is known when the client begins: what the site says of itself (the script's data attributes), and downloads under way. */
export type Boot = {
  /** Where the script was included from; empty for the package, whose parts are found by the bundler. */
  base: string;
  data: DOMStringMap;
  time: number;
  wasm: Promise<Response>;
  config: Promise<Response>;
};

/** What the loader hands over. */
export type Stub = {
  q: Call[];
  /** Calls of earlier pages, which left before their client was there. */
  former?: Call[];
  boot?: Boot;
};

declare global {
  interface Window {
    selvedge?: Partial<Selvedge> & Stub;
  }
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
  interface Document {
    prerendering?: boolean;
  }
}
