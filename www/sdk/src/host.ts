/** What the head has done: these functions are the imports of the wasm module. Their bytes are views that do not last. */
import { heard, listeners } from "./api";
import { readDecision, show as showDecision, wanted } from "./decisions";
import { Reader, toHex, toLatin } from "./decode";
import { tellEngine, tellProgram, tellReply, tellTick } from "./head";
import { hold as holdQueue, open as openQueues } from "./locks";
import { ready } from "./parcel";
import { purposesOf } from "./sink";
import * as storage from "./storage";
import * as transport from "./transport";

/** Longer timers overflow. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export { take } from "./parcel";

let timer: ReturnType<typeof setTimeout> | undefined;

export function store(key: Uint8Array, value: Uint8Array): void {
  storage.write(toLatin(key), value);
}

export function erase(key: Uint8Array): void {
  storage.erase(toLatin(key));
}

export function eraseAll(): void {
  storage.eraseAll();
}

export function send(request: number, body: Uint8Array): void {
  void transport.post(body.slice()).then(({ status, retryAfterMs, body }) => {
    tellReply(request, status, retryAfterMs, body);
  });
}

export function beacon(body: Uint8Array): void {
  transport.beacon(body.slice());
}

export function schedule(delayMs: number): void {
  clearTimeout(timer);
  timer = setTimeout(tellTick, Math.min(delayMs >>> 0, TIMER_MS_MAX));
}

export function load(hash: Uint8Array): void {
  const name = hash.slice();
  void transport.getProgram(toHex(name)).then((program) => tellProgram(name, program));
}

type Answer = (question: Uint8Array) => Uint8Array;

/** The rule engine: a module of its own, which only pages fetch whose program has rules, and where somebody wants decisions. */
let answer: Answer | undefined;
let fetchEngine: () => Promise<Answer> = () => Promise.reject();

export function engineFrom(fetches: typeof fetchEngine): void {
  fetchEngine = fetches;
}

export function engine(): void {
  wanted.then(fetchEngine).then(
    (opened) => {
      answer = opened;
      tellEngine(true);
    },
    () => tellEngine(false),
  );
}

/** Nothing where the engine trapped: the head does not ask it again. */
export function ask(question: Uint8Array): number {
  try {
    return ready(answer ? answer(question) : new Uint8Array());
  } catch {
    return ready(new Uint8Array());
  }
}

export function hold(queue: Uint8Array): void {
  holdQueue(toLatin(queue));
}

export function show(decision: Uint8Array): void {
  showDecision(readDecision(decision));
}

/** Kinds as in crates/selvedge-client/src/crossing.rs. */
export function emit(notice: Uint8Array): void {
  // Each event is told of, and hardly a page listens.
  if (!listeners.size && notice[0] === 1) return;
  const reader = new Reader(notice);
  const kind = reader.u8();
  const count = reader.varint();
  const name = reader.text();
  const code = reader.text();
  if (kind === 0) {
    heard("consent", purposesOf(count));
    if (count > 1) openQueues();
  }
  else if (kind === 1) heard("event", { name, code });
  else if (kind === 2) heard("refused", { sequence: count, code });
  else if (kind === 9) heard("engine", { running: false });
  else heard(kind === 3 ? "lost" : "accepted", { count });
}
