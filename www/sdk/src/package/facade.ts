/**
 * What a site imports: its calls wait until the client is there, and nothing is touched but what a call touches, so that a
 * module that imports it runs on a server too.
 */
import type { Chunks } from "../client";
import type { Boot, Call, Stub } from "../stub";
import { keepCalls } from "../keep";
import { configUrl } from "../versions";
import type { Choice, Decision, Notices, Selvedge } from "../types";

/** How the client begins. */
export type StartOptions = {
  /** The site's name, as in `site.yaml`. */
  readonly site: string;
  /** The browser source's write key; it is public. */
  readonly writeKey: string;
  /** Where the edge is; left out: where the page is from. */
  readonly endpoint?: string | URL;
  /** URL parameters that may be captured besides `utm_*`; all others are cut off. */
  readonly parameters?: readonly string[];
  /** `memory`: nothing is kept on the device, all lives as long as the page. */
  readonly storage?: "device" | "memory";
  /** `manual`: no page view by itself, the site calls `selvedge.page()`. */
  readonly page?: "automatic" | "manual";
};

/** A WebAssembly module: its address, or its bytes, or a promise of either. */
export type WasmSource = string | URL | Response | BufferSource | Promise<string | URL | Response | BufferSource>;

const CALLS_MAX = 1_000;
const NOTHING_GRANTED: Notices["consent"] = {
  necessary: true,
  analytics: false,
  personalization: false,
  advertising: false,
};

const waiting: Call[] = [];
let stub: (Partial<Selvedge> & Stub) | undefined;

/** The client, once it is there, or the stub of a script tag, which keeps calls itself and answers nothing. */
function live(): Partial<Selvedge> | undefined {
  return stub?.track && stub;
}

function call(...call: Call): void {
  const queue = stub?.q ?? waiting;
  if (queue.length < CALLS_MAX) queue.push(call);
}

/** Made now, or once the client is there, as of now. */
function say<Method extends "track" | "ecommerce" | "page" | "identify" | "group" | "alias" | "flush" | "reset">(
  method: Method,
): Selvedge[Method] {
  const made = (...parameters: unknown[]): void => {
    const now = live()?.[method] as ((...parameters: unknown[]) => void) | undefined;
    if (now) now(...parameters);
    else call(method, parameters, Date.now());
  };
  return made as Selvedge[Method];
}

/** Listens now, or once the client is there. Gives back how to stop, which works at any time. */
function listen<Heard>(
  method: "on" | "slot",
  name: string,
  callback: (heard: Heard) => void,
): () => void {
  let isOver = false;
  let stop: (() => void) | undefined;
  const hear = (heard: Heard): void => {
    if (!isOver) callback(heard);
  };
  const now = live()?.[method] as ((name: string, hear: (heard: Heard) => void) => (() => void) | undefined) | undefined;
  if (now) stop = now(name, hear);
  else call(method, [name, hear], Date.now());
  return () => {
    isOver = true;
    stop?.();
  };
}

/** The client of this page. Calls before {@link start} wait for it; on a server they do nothing. */
export const selvedge: Selvedge = {
  track: say("track"),
  ecommerce: say("ecommerce"),
  page: say("page"),
  identify: say("identify"),
  group: say("group"),
  alias: say("alias"),
  flush: say("flush"),
  reset: say("reset"),
  consent: (choice?: Choice) => {
    const now = live();
    if (!now && choice) call("consent", [choice], Date.now());
    return now?.consent?.(choice) ?? NOTHING_GRANTED;
  },
  slot: (name, callback) => listen<Decision>("slot", name, callback),
  decisions: () => live()?.decisions?.() ?? [],
  on: (kind, callback) => listen("on", kind, callback),
};

const CHUNKS: { readonly [Name in keyof Chunks]: () => Promise<Chunks[Name]> } = {
  consent: () => import("../consent"),
  extras: () => import("../extras"),
  identity: () => import("../identity"),
  plain: () => import("../plain"),
  preview: () => import("../preview"),
  rules: () => import("../rules"),
  slots: () => import("../slots"),
  vitals: () => import("../vitals"),
};

/** Begins once in a page; on a server, and where a script tag has begun already, it does nothing. */
export function begin(
  options: StartOptions,
  wasm: () => WasmSource,
  later: () => WasmSource,
  rules: () => WasmSource | undefined,
  strings: () => WasmSource | undefined,
): Selvedge {
  if (typeof window === "undefined" || stub) return selvedge;
  stub = window.selvedge ??= { q: [] };
  stub.q.push(...waiting.splice(0));
  if (stub.boot) return selvedge;
  const boot = (stub.boot = bootOf(options, wasm));
  const here: Stub = stub;
  keepCalls(here, boot);
  import("../client")
    .then(({ open }) =>
      open(here, boot, {
        chunk: (name) => CHUNKS[name](),
        module: (name) => responseOf({ later, rules, strings }[name]()),
      }),
    )
    .catch(() => {
      // The page stays as it is.
    });
  return selvedge;
}

function bootOf({ site, writeKey, endpoint = "/", parameters = [], page, storage }: StartOptions, wasm: () => WasmSource): Boot {
  const edge = new URL(endpoint, location.href).href.replace(/\/?$/, "/");
  const data: DOMStringMap = { site, key: writeKey, endpoint: edge, parameters: parameters.join(",") };
  if (page) data["page"] = page;
  if (storage) data["storage"] = storage;
  const config = fetch(configUrl(edge, site), { credentials: "omit", cache: "no-store" });
  const module = responseOf(wasm());
  for (const download of [config, module]) download.catch(() => {});
  return { base: "", data, time: Date.now(), wasm: module, config };
}

async function responseOf(wasm: WasmSource | undefined): Promise<Response> {
  const source = await wasm;
  if (source === undefined) throw new Error("The site brings no such module.");
  if (source instanceof Response) return source;
  if (typeof source === "string" || source instanceof URL) return fetch(source, { credentials: "omit" });
  return new Response(source);
}
