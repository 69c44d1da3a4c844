/** The network: batches to the collector, config and program from it. With cookies only where one is asked for. */

import type { Settings } from "./sink";
import { configUrl } from "./versions";

export type Reply = { status: number; retryAfterMs: number; body: Uint8Array };

/** Requests above this cannot be kept alive past the page (the browsers' bound is 64 KiB for all of them). */
const KEEPALIVE_BYTES_MAX = 60 * 1024;
/** Below this, compressing costs more than it saves. */
const DEFLATE_BYTES_MIN = 512;
const TIMEOUT_MS = 30_000;

let endpoint = "";
let site = "";
/** A batch that is being compressed: should the page be hidden meanwhile, it leaves as it is. */
let compressing: Uint8Array<ArrayBuffer> | undefined;

/** What a batch asks for besides its answer: the visitor's id as a cookie (`?id=...`); else empty. */
let asks = (): string => "";

export function askWith(asked: () => string): void {
  asks = asked;
}

export function openTransport(url: string, name: string): void {
  endpoint = url;
  site = name;
}

export async function post(batch: Uint8Array<ArrayBuffer>): Promise<Reply> {
  try {
    compressing = batch;
    const body = await deflate(batch);
    compressing = undefined;
    const asked = asks();
    const response = await fetch(endpoint + "v1/collect" + asked, {
      method: "POST",
      body,
      credentials: asked ? "include" : "omit",
      keepalive: body.length <= KEEPALIVE_BYTES_MAX,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const retryAfter = response.headers.get("retry-after");
    return {
      status: response.status,
      retryAfterMs: retryAfter ? delayOf(retryAfter) : 0,
      body: new Uint8Array(await response.arrayBuffer()),
    };
  } catch {
    return { status: 0, retryAfterMs: 0, body: new Uint8Array() };
  }
}

/** Leaves even if the page dies; nobody says how it ended. */
export function beacon(batch: Uint8Array<ArrayBuffer>): void {
  navigator.sendBeacon(endpoint + "v1/collect", batch);
}

/** The page is being hidden: what is still being compressed would be too late. */
export function hurry(): void {
  if (compressing) beacon(compressing);
}

/** The config as it was asked for, or as it is now; undefined where it cannot be had. */
export async function getConfig(
  asked: Promise<Response> = fetch(configUrl(endpoint, site), { credentials: "omit", cache: "no-store" }),
): Promise<Settings | undefined> {
  try {
    const response = await asked;
    return response.ok ? ((await response.json()) as Settings) : undefined;
  } catch {
    return undefined;
  }
}

/** The program of this name; empty where it cannot be had. */
export async function getProgram(hash: string): Promise<Uint8Array> {
  try {
    const response = await fetch(`${endpoint}s/${site}/program/${hash}`, { credentials: "omit" });
    return new Uint8Array(response.ok ? await response.arrayBuffer() : []);
  } catch {
    return new Uint8Array();
  }
}

/** The batch with all but its first two bytes compressed, and the flag for it set; unchanged where that does not pay. */
async function deflate(batch: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (batch.length < DEFLATE_BYTES_MIN || document.hidden) return batch;
  try {
    const stream = new Response(batch.subarray(2)).body?.pipeThrough(new CompressionStream("deflate-raw"));
    return new Uint8Array([batch[0] ?? 0, 1, ...new Uint8Array(await new Response(stream).arrayBuffer())]);
  } catch {
    return batch;
  }
}

/** `Retry-After` is seconds, or a date. */
function delayOf(retryAfter: string): number {
  const delayMs = /^\d+$/.test(retryAfter) ? +retryAfter * 1_000 : Date.parse(retryAfter) - Date.now();
  return delayMs > 0 ? delayMs : 0;
}
