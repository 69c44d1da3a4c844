/**
 * The stub: runs from one async script tag, queues calls until the client is ready, starts the downloads at once and never
 * blocks the page. What it fetches goes without cookies, and nothing is stored but by keep.ts.
 */
import type { Call, Stub } from "./stub";
import { keepCalls } from "./keep";
import { configUrl } from "./versions";

const METHODS = ["track", "ecommerce", "page", "identify", "group", "alias", "consent", "slot", "decisions", "flush", "reset", "on"];

const script = document.currentScript as HTMLScriptElement;
const data = script.dataset;
const base = script.src.replace(/[^/]*$/, "");
const stub = (window.selvedge ??= { q: [] }) as Stub & Record<string, unknown>;

if (!stub.boot) {
  for (const method of METHODS) {
    stub[method] ??= (...parameters: unknown[]) => {
      stub.q.push([method, parameters, Date.now()] as unknown as Call);
    };
  }
  const get = (url: string, cache: RequestCache): Promise<Response> => {
    const response = fetch(url, { credentials: "omit", cache });
    response.catch(() => {});
    return response;
  };
  data["endpoint"] ??= new URL("../../", base).href;
  stub.boot = {
    base,
    data,
    time: Date.now(),
    wasm: data["wasm"] === "off" ? new Promise((_, off) => setTimeout(off)) : get(base + "selvedge.wasm", "default"),
    // It says what time it is: from a cache that would be too early.
    config: get(configUrl(data["endpoint"], data["site"]), "no-store"),
  };
  import(base + "selvedge.js").catch(() => {});
  // The first look at the device's storage blocks: behind what can come meanwhile.
  keepCalls(stub, stub.boot);
}
