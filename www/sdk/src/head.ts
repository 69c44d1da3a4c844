/** The head: the wasm module, and what is said to it. Kinds of inputs as in crates/selvedge-client/src/crossing.rs. */
import { __wbg_set_wasm, handle } from "../generated/selvedge_bg.js";
import { imports } from "../generated/imports.js";
import { heard } from "./api";
import { address } from "./capture";
import { fromHex } from "./decode";
import { Writer } from "./encode";
import type { Identity } from "./identity";
import { alone, takeOver } from "./locks";
import { ready } from "./parcel";
import { EVENT_TYPES, MODES, type Sink } from "./sink";
import { commit, entries, read, type Entry } from "./storage";
import { hurry } from "./transport";

/** Records that are read at once, where consent allows it. The queues come later, with their locks. */
const RECORDS = ["consent", "visitor", "state", "program", "leases", "paused"];
const RANDOM_BYTES = 19;
/** So many captures of one task wait at most. */
const WAITING_MAX = 256;
const LATER_MS = 30_000;

let isAlive = false;
/** The module's second half, which reads answers, takes over queues and asks the rule engine, and what is to be told once it is there. */
let isWhole = false;
let complete: (() => void) | undefined;
const postponed: (() => void)[] = [];

/**
 * Starts the module, and has its second half fetched. Rejects where it cannot run (an old browser, a policy without
 * `wasm-unsafe-eval`).
 */
export async function startHead(source: Promise<Response>, later: () => Promise<Response>): Promise<void> {
  const module = await (await source).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(module, imports);
  __wbg_set_wasm(instance.exports);
  isAlive = true;
  const begin = (): void => {
    complete = undefined;
    later()
      .then((response) => response.arrayBuffer())
      .then((half) => WebAssembly.instantiate(half, { a: instance.exports }))
      .then(
        () => {
          isWhole = true;
          postponed.splice(0).forEach((run) => run());
        },
        () => {
          complete = begin;
          setTimeout(again, LATER_MS);
        },
      );
  };
  begin();
}

/** Where the second half could not be had, it is asked for again. */
function again(): void {
  complete?.();
}

/** Runs what needs the whole module, as soon as that is there. */
function whole(run: () => void): void {
  if (isWhole) run();
  else postponed.push(run);
}

/** Tells the head, behind all that it was told before. */
function tell(writer: Writer): void {
  catchUp();
  give(writer.done());
}

/** False where the head did not take it. A module that trapped is left alone from then on. */
function give(input: Uint8Array): boolean {
  try {
    return isAlive && handle(ready(input));
  } catch {
    isAlive = false;
    return false;
  }
}

/** What was captured and the head did not take yet: the site's call returns first, the head takes it before the task is over. */
let waiting: Uint8Array[] = [];

function catchUp(): void {
  const inputs = waiting;
  waiting = [];
  for (const input of inputs) {
    if (!give(input)) heard("lost", { count: 1 });
  }
}

/** Where the device holds no consent, nothing else of it is read. */
export function tellBoot(data: DOMStringMap): void {
  const writer = new Writer(0).text(data["key"] ?? "").raw(random(RANDOM_BYTES));
  const parameters = (data["parameters"] ?? "").split(/[ ,]+/).filter(Boolean);
  writer.varint(parameters.length);
  parameters.forEach((parameter) => writer.text(parameter));
  writer.map({
    "device.class": deviceClass(),
    language: navigator.language,
    "viewport.width": innerWidth,
    utc_offset: -new Date().getTimezoneOffset(),
  });
  writer.flag(navigator.globalPrivacyControl === true);
  tell(writeRecords(writer, read("consent") ? entries(RECORDS) : []));
}

export function tellProgram(hash: Uint8Array, program: Uint8Array): void {
  whole(() => {
    tell(new Writer(2).raw(hash).bytes(program));
  });
}

export function tellTick(): void {
  tell(new Writer(7));
}

export function tellReply(request: number, status: number, retryAfterMs: number, body: Uint8Array): void {
  whole(() => {
    tell(new Writer(12).varint(request).varint(status).varint(retryAfterMs).raw(random(RANDOM_BYTES)).bytes(body));
  });
}

export function tellEngine(isThere: boolean): void {
  whole(() => {
    tell(new Writer(16).flag(isThere));
  });
}

export function tellAdopted(records: readonly Entry[]): void {
  whole(() => {
    tell(writeRecords(new Writer(13), records));
  });
}

export function tellChange(key: string, value: Uint8Array | undefined): void {
  const writer = new Writer(14).text(key).raw(random(RANDOM_BYTES)).flag(!!value);
  tell(value ? writer.bytes(value) : writer);
}

export const head: Sink = {
  capture: (type, name, time, properties, isAutomatic, readings) => {
    const writer = new Writer(4).u8(EVENT_TYPES.indexOf(type)).text(name).varint(time);
    const count = waiting.push(writer.map(properties).flag(isAutomatic).map(readings).done());
    if (count === 1) queueMicrotask(catchUp);
    if (count > WAITING_MAX) catchUp();
  },
  catchUp,
  page: (time, referrer, properties) => {
    tell(new Writer(5).varint(time).text(address()).text(document.title).text(referrer).map(properties));
  },
  consent: (granted, denied) => {
    tell(new Writer(3).varint(granted).varint(denied).raw(random(RANDOM_BYTES)));
  },
  hear: (source, what, granted = 0, denied = 0, text = "") => {
    const writer = new Writer(25).u8(source).u8(what).varint(granted).varint(denied).text(text);
    tell(writer.raw(random(RANDOM_BYTES)));
  },
  inView: (slot) => {
    whole(() =>
      alone(() => {
        tell(new Writer(15).text(slot).bytes(read("leases") ?? new Uint8Array()));
        commit();
      }),
    );
  },
  seen: (slot) => {
    const time = Date.now();
    whole(() => {
      tell(new Writer(6).text(slot).varint(time));
    });
  },
  flush: () => {
    tell(new Writer(10));
  },
  reset: () => {
    tell(new Writer(11).raw(random(RANDOM_BYTES)));
  },
  hidden: () => {
    hurry();
    tell(new Writer(8));
  },
  awake: () => {
    again();
    tell(new Writer(9));
    void takeOver();
  },
  settle: (settings) => {
    const writer = new Writer(1).flag(!!settings);
    if (settings) {
      const { topology, consent, policy_version, clock, program, publish, paused = [], sources } = settings;
      writer.u8(topology).u8(Math.max(MODES.indexOf(consent), 0)).varint(policy_version).varint(clock).flag(!!program);
      if (program) writer.raw(fromHex(program));
      writer.varint(publish).varint(paused.length);
      for (const rule of paused) writer.raw(fromHex(rule));
      writer.u8(sources?.read ?? 0).flag(isKnownElsewhere(settings.identity));
    }
    tell(writer);
  },
};

/** Whether the visitor's id may be found elsewhere: in a cookie, or in the link that led here. */
function isKnownElsewhere(identity?: Identity): boolean {
  return !!identity?.some(([kind]) => kind === "cookie" || /[?&]_sv=/.test(location.search));
}

function writeRecords(writer: Writer, records: readonly Entry[]): Writer {
  writer.varint(records.length);
  for (const [key, value] of records) writer.text(key).bytes(value);
  return writer;
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

function deviceClass(): string {
  const { userAgent, maxTouchPoints } = navigator;
  const isTablet = /iPad|Tablet|Android(?!.*Mobile)/.test(userAgent);
  if (isTablet || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) return "tablet";
  return /Mobi/.test(userAgent) ? "mobile" : "desktop";
}
