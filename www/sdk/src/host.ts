/** What the head has done: these functions are the imports of the wasm module. Their bytes are views that do not last. */
import { heard } from "./api";
import { fromHex, Reader, toHex, toText } from "./decode";
import { input, Kind, random, tell } from "./head";
import { hold as holdQueue } from "./locks";
import { show as showDecision } from "./slots";
import * as storage from "./storage";
import * as transport from "./transport";

/** Longer timers overflow. */
const TIMER_MS_MAX = 2 ** 31 - 1;

let site = "";
let timer: ReturnType<typeof setTimeout> | undefined;

export function openHost(name: string): void {
  site = name;
}

export function store(key: Uint8Array, value: Uint8Array): void {
  storage.write(toText(key), value);
}

export function erase(key: Uint8Array): void {
  storage.erase(toText(key));
}

export function eraseAll(): void {
  storage.keys("").forEach(storage.erase);
}

export function send(request: number, body: Uint8Array): void {
  void transport.post(body.slice()).then((reply) => {
    tell(
      input(Kind.replied)
        .varint(request)
        .varint(reply.status)
        .varint(reply.retryAfterMs)
        .varint(new DataView(random(4).buffer as ArrayBuffer).getUint32(0))
        .bytes(reply.body),
    );
  });
}

export function beacon(body: Uint8Array): void {
  transport.beacon(body.slice());
}

export function schedule(delayMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => tell(input(Kind.tick)), Math.min(delayMs >>> 0, TIMER_MS_MAX));
}

export function load(hash: Uint8Array): void {
  const name = toHex(hash);
  void transport.getProgram(site, name).then((program) => {
    tell(input(Kind.program).raw(fromHex(name)).bytes(program));
  });
}

export function hold(queue: Uint8Array): void {
  holdQueue(toText(queue));
}

export function show(decision: Uint8Array): void {
  heard("decision", showDecision(decision));
}

export function emit(notice: Uint8Array): void {
  const reader = new Reader(notice);
  const kind = reader.u8();
  const count = reader.varint();
  const name = reader.text();
  const code = reader.text();
  if (kind === 0) heard("consent", purposesOf(count));
  else if (kind === 1) heard("event", { name, code });
  else if (kind === 2) heard("refused", { sequence: count, code });
  else if (kind === 3) heard("lost", { count });
  else heard("accepted", { count });
}

function purposesOf(bits: number): { necessary: boolean; analytics: boolean; personalization: boolean; advertising: boolean } {
  return {
    necessary: (bits & 1) > 0,
    analytics: (bits & 2) > 0,
    personalization: (bits & 4) > 0,
    advertising: (bits & 8) > 0,
  };
}
