/**
 * Delivery where wasm cannot run: the same events as JSON to the same collector, and the edge's decisions applied. It
 * keeps nothing on the device but a refusal where silence would count as a grant: the queue and the ids live as long as
 * the page.
 */
import { ALL, ASKS, GPP, NOTHING, SAYS, TCF } from "./consent/sources";
import { Reader } from "./decode";
import { Writer } from "./encode";
import { PURPOSES, purposesOf, type Ear, type EventType, type Settings, type Sink } from "./sink";
import { eraseAll, openStorage, read, write } from "./storage";
import type { Boot } from "./stub";
import type { Content, Properties, Value } from "./types";

type Event = {
  sequence: number;
  type: EventType;
  name: string;
  time: number;
  properties: Properties;
  readings: Properties;
  context: Properties;
};

type Said = { readonly granted: number; readonly denied: number; readonly time: number };

/** An event that waits, with what was said when it was captured; nothing where the answer is still to come. */
type Waiting = { readonly event: Event; said?: Said | undefined };

type Answer = {
  accepted?: number;
  refused?: readonly { sequence: number; code: string }[];
  decisions?: readonly Decided[];
  server_time_ms?: number;
  granted?: readonly { slot: string; until_ms: number }[];
};

/** `detail` names the variant that is shown: `experiment/variant`. */
type Decided = {
  slot: string;
  rule: string | null;
  reason: string;
  detail?: string;
  held_out?: string | null;
  body?: Content | null;
};

type Shown = Pick<Decided, "rule" | "reason" | "detail" | "held_out"> & {
  content: Content | null;
  /** From here on it may not be seen: the edge gives its grant back. */
  until?: number;
};

const HELD_EVENTS_MAX = 256;
const QUEUED_EVENTS_MAX = 500;
const BATCH_EVENTS_MAX = 50;
const FLUSH_MS = 1_000;
const RETRY_MS_MAX = 300_000;
const RETRY_MS_MIN = 1_000;
/** 2020-01-01T00:00Z in minutes since 1970: a writer's boot minute counts from here. */
const BOOT_EPOCH_MINUTES = 26_297_280;
/** The plain API's bit among those who say what is granted, and the names of all of them. */
const API = 1;
const SIGNALS = ["api", "server", "tcf", "gpp", "consent_mode", "platform", "dnt"];
const ANALYTICS = 2;
/** The event of the default plan that says how many were lost. */
const LOST_EVENT = "events_lost";
/** The key of the answer on the device. */
const CONSENT = "consent";
const CAMPAIGN = ["source", "medium", "campaign", "term", "content"];

export function open(boot: Boot, ear: Ear): Sink {
  const { key = "", endpoint = "" } = boot.data;
  const allowed = (boot.data["parameters"] ?? "").split(/[ ,]+/);
  const gpc = navigator.globalPrivacyControl === true;
  let settings: Settings | undefined;
  let isSettled = false;
  openStorage(boot.data["site"] ?? "", boot.data["storage"] === "memory");
  const stored = remembered();
  let said = stored;
  /** What each source grants and denies. */
  const voices = new Map<number, readonly [granted: number, denied: number]>();
  let awaited = 0;
  let asking = 0;
  let identity = mint();
  let sequence = 0;
  let queue: Waiting[] = [];
  let inFlight = 0;
  let failures = 0;
  /** How many events were lost since the page began, and how many of them no event says yet. */
  let lost = 0;
  let untold = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const shown = new Map<string, Shown>();
  const seen = new Set<string>();
  let view = 0;

  /** The purposes in force, as the head reckons them. */
  function inForce(): number {
    const granted = mode() === "opt-out" ? 15 : said.granted | (mode() === "cnil" ? 2 : 0);
    return (granted & ~said.denied & (gpc ? 7 : 15)) | 1;
  }

  const isOpen = (): boolean => inForce() > 1;
  const isAnswered = (): boolean => said.time > 0 || mode() !== "opt-in";

  /** What silence means: while a source of consent is awaited, or asks, nothing. */
  const mode = (): string => (awaited || asking ? "opt-in" : (settings?.consent ?? "opt-in"));

  /** All that was said, by source: granted where one grants and none denies. */
  function refold(): void {
    const wasOpen = isOpen();
    const all = [...voices.values()];
    const denied = all.reduce((bits, voice) => bits | voice[1], 0);
    const granted = awaited || asking ? 0 : all.reduce((bits, voice) => bits | voice[0], 0) & ~denied;
    const isAnswer = !awaited && !asking && granted + denied > 0;
    said = { granted, denied, time: isAnswer ? Date.now() : 0 };
    remember();
    ear.heard("consent", purposesOf(inForce()));
    if (isOpen()) {
      for (const waiting of queue) waiting.said ??= said;
      schedule(0);
    } else if (wasOpen || isAnswered()) {
      if (wasOpen) void post(batch([]));
      forget();
    }
  }

  /** Where silence counts as a grant, the next page has to know what was denied. */
  function remember(): void {
    if (!settings || mode() === "opt-in" || !said.time) return;
    if (!isOpen()) eraseAll();
    write(CONSENT, consentRecord(said, gpc, settings.policy_version));
  }

  function add(
    type: EventType,
    name: string,
    time: number,
    properties: Properties,
    context: Properties = {},
    readings: Properties = {},
  ): void {
    if (isAnswered() && !isOpen()) return;
    if (queue.length >= (isAnswered() ? QUEUED_EVENTS_MAX : HELD_EVENTS_MAX)) return lose(1);
    push({ sequence: ++sequence, type, name, time, properties: plain(properties), readings, context });
    if (isOpen()) ear.heard("event", { name, code: "" });
    schedule(FLUSH_MS);
  }

  function push(event: Event): void {
    queue.push({ event, said: isOpen() ? said : undefined });
  }

  function lose(count: number): void {
    if (!count) return;
    untold += count;
    lost += count;
    ear.heard("lost", { count: lost });
  }

  /** What was lost is the next event that leaves; by itself it has none leave, lest an edge that refuses all is asked for ever. */
  function reportLosses(): void {
    const isOff = settings?.capture?.some(([kind, option]) => kind === "loss" && option === "off");
    if (!untold || isOff || !(inForce() & ANALYTICS)) return;
    // No later than what it is about: it must not begin a session.
    const time = queue.at(-1)?.event.time ?? Date.now();
    const properties = { count: untold };
    push({ sequence: ++sequence, type: "track", name: LOST_EVENT, time, properties, readings: {}, context: {} });
    untold = 0;
  }

  function schedule(delayMs: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush();
    }, delayMs);
  }

  /** What is in force now comes first; each event names what was said at its capture. */
  function batch(waiting: readonly Waiting[]): string {
    const all = [...new Set([said, ...waiting.map((one) => one.said ?? said)])];
    const consent = all.map(({ granted, denied, time }) => ({
      granted: names(granted),
      denied: names(denied),
      gpc,
      mode: mode(),
      signal: SIGNALS.filter((_, at) => voices.has(1 << at)).join("+") || "none",
      policy_version: settings?.policy_version ?? 0,
      time,
    }));
    const events = waiting.map((one) => ({ ...one.event, consent: all.indexOf(one.said ?? said) }));
    return JSON.stringify({
      write_key: key,
      visitor: identity.visitor(settings?.topology ?? 0),
      writer: identity.writer,
      sent_at: Date.now(),
      skew_ms: 0,
      floor: queue[0]?.event.sequence ?? sequence + 1,
      clock: "received",
      consent,
      context: {
        language: navigator.language,
        "viewport.width": innerWidth,
        utc_offset: -new Date().getTimezoneOffset(),
      },
      events,
    });
  }

  async function flush(): Promise<void> {
    if (inFlight || !queue.length || !isOpen() || !isSettled) return;
    reportLosses();
    const events = queue.slice(0, BATCH_EVENTS_MAX);
    const from = identity;
    inFlight = events.length;
    const status = await post(batch(events));
    if (from !== identity) return;
    inFlight = 0;
    const isOver = (status >= 200 && status < 300) || [400, 413, 415, 422].includes(status);
    failures = isOver ? 0 : failures + 1;
    if (isOver) queue = queue.slice(events.length);
    if (isOver && status >= 400) lose(events.length);
    const bound = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures);
    if (queue.length) schedule(isOver ? FLUSH_MS : Math.random() * bound);
  }

  async function post(body: string): Promise<number> {
    const of = view;
    try {
      const response = await fetch(endpoint + "v1/collect", { method: "POST", body, credentials: "omit" });
      if (response.ok) learn((await response.json()) as Answer, of);
      return response.status;
    } catch {
      return 0;
    }
  }

  function expose(slot: string, rule: string, properties: Properties): void {
    const key = [slot, rule, properties["reason"]].join("/");
    if (seen.has(key)) return;
    seen.add(key);
    const program = settings?.program ?? null;
    add("exposure", "exposure", Date.now(), { slot, rule, program, ...properties });
  }

  function learn({ accepted = 0, refused = [], decisions = [], granted = [], server_time_ms = 0 }: Answer, of: number): void {
    ear.heard("accepted", { count: accepted });
    for (const refusal of refused) ear.heard("refused", refusal);
    // The edge takes nothing more of who was erased.
    if (refused.some(({ code }) => code === "erased")) {
      lose(queue.length - inFlight);
      forget();
    }
    // What was granted to the page view before is given back with its end: this one has an answer of its own to come.
    if (of !== view) return;
    for (const { slot, rule, reason, detail = "", held_out = null, body = null } of decisions) {
      const before = shown.get(slot);
      const grant = granted.find((one) => one.slot === slot);
      // A grant that was used is not named again: it is the page view's still.
      const spent = before?.rule === rule ? before?.until : undefined;
      const until = grant ? Date.now() + grant.until_ms - server_time_ms : (spent ?? Infinity);
      shown.set(slot, { rule, content: body, reason, detail, held_out, until });
      // The same content may hold other values.
      const isSame = before?.rule === rule && JSON.stringify(before.content) === JSON.stringify(body);
      if (before ? isSame : !body && !rule) continue;
      ear.show({ slot, rule, reason, content: body });
    }
  }

  /** What waits leaves by beacon; nobody says how it ended. */
  function leave(): void {
    if (!isOpen()) return;
    reportLosses();
    for (let at = inFlight; at < queue.length; at += BATCH_EVENTS_MAX) {
      navigator.sendBeacon(endpoint + "v1/collect", batch(queue.slice(at, at + BATCH_EVENTS_MAX)));
    }
  }

  function forget(): void {
    identity = mint();
    sequence = inFlight = 0;
    queue = [];
    seen.clear();
  }

  return {
    capture: (type, name, time, properties, isAutomatic, readings) => {
      const id = type === "group" ? { account_id: name } : { user_id: name };
      if (isAutomatic) return;
      // There is no tracking plan here: the edge says which text is a number.
      if (type === "track") add(type, name, time, properties, {}, readings);
      else add(type, type, time, { ...properties, ...id });
    },
    page: (time, referrer, properties) => {
      seen.clear();
      view++;
      for (const one of shown.values()) if ((one.until ?? Infinity) < Infinity) one.until = 0;
      const url = new URL(location.href);
      const stripped = strip(url, allowed);
      const context = Object.fromEntries(
        CAMPAIGN.flatMap((part) => {
          const value = url.searchParams.get(`utm_${part}`);
          return value ? [[`utm.${part}`, value]] : [];
        }),
      );
      const facts = { path: url.pathname, url: stripped, title: document.title, referrer: stripText(referrer, allowed) };
      add("page", "page", time, { ...facts, ...properties }, context);
    },
    consent: (granted, denied) => {
      const [before, refused] = voices.get(API) ?? [said.granted, said.denied];
      voices.set(API, [(before | granted) & ~denied, (refused & ~granted) | denied]);
      refold();
    },
    hear: (source, what, granted = 0, denied = 0) => {
      awaited &= ~source;
      asking = what === ASKS ? asking | source : asking & ~source;
      // Nothing here reads the strings of the IAB: what cannot be read denies.
      if (what === SAYS) voices.set(source, source & (TCF | GPP) ? [0, ALL] : [granted, denied]);
      if (what === NOTHING) voices.delete(source);
      refold();
    },
    inView: (slot) => {
      const { until = Infinity } = shown.get(slot) ?? {};
      if (until > Date.now()) return;
      shown.set(slot, { rule: null, content: null, reason: "no_grant" });
      ear.show({ slot, rule: null, reason: "no_grant", content: null });
    },
    seen: (slot) => {
      const { rule = null, content = null, reason = "", detail = "", held_out = null } = shown.get(slot) ?? {};
      const [experiment, variant] = rule && detail.includes("/") ? detail.split("/") : [];
      const part = experiment ? { experiment, variant } : {};
      if (held_out) expose(slot, held_out, { content: null, reason: "holdout" });
      if (rule) expose(slot, rule, reason === "control" ? { content: null, ...part, reason } : { content: content?.id ?? null, ...part });
    },
    flush: () => void flush(),
    reset: () => {
      leave();
      forget();
    },
    hidden: leave,
    awake: () => void flush(),
    settle: (known) => {
      if (!isSettled) awaited = known?.sources?.read ?? 0;
      settings = known;
      isSettled = true;
      if (isAnswered() && !isOpen()) forget();
      if (said.time && said !== stored) remember();
      if (isOpen()) ear.heard("consent", purposesOf(inForce()));
      schedule(0);
    },
  };
}

/** The answer that the device holds, where it denies something and silence would grant it; else none. */
function remembered(): Said {
  const none = { granted: 0, denied: 0, time: 0 };
  const record = read(CONSENT);
  if (!record) return none;
  const reader = new Reader(record);
  const [granted, denied, isOptOut] = [reader.varint(), reader.varint(), reader.u8() === 1];
  reader.u8();
  reader.u8();
  reader.varint();
  return isOptOut && denied ? { granted, denied, time: reader.varint() } : none;
}

/** The record that the head keeps too (`write_snapshot` in crates/selvedge-core/src/wire/batch.rs). */
function consentRecord({ granted, denied, time }: Said, gpc: boolean, policyVersion: number): Uint8Array {
  const record = new Writer().varint(granted).varint(denied).u8(1).flag(gpc).u8(1);
  return record.varint(policyVersion).varint(time).done();
}

/** Ids of one identity: the visitor is minted under the topology entry that is known when it is first asked for. */
function mint(): { writer: string; visitor: (topology: number) => string } {
  const random = crypto.getRandomValues(new Uint8Array(19));
  const minute = Math.floor(Date.now() / 60_000) - BOOT_EPOCH_MINUTES;
  const salt = new DataView(random.buffer).getUint32(15) & (2 ** 27 - 1);
  let visitor = "";
  return {
    writer: `${minute * 2 ** 27 + salt}`,
    visitor: (topology) => (visitor ||= hex([topology, ...random.subarray(0, 15)])),
  };
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function names(bits: number): string[] {
  return PURPOSES.filter((_, at) => (bits >> at) & 1);
}

/** JSON has no integers of 64 bits: they travel as text. */
function plain(properties: Properties): Properties {
  const text = (_: string, value: Value): Value => (typeof value === "bigint" ? `${value}` : value);
  return JSON.parse(JSON.stringify(properties, text)) as Properties;
}

function stripText(url: string, allowed: readonly string[]): string {
  try {
    return strip(new URL(url), allowed);
  } catch {
    return "";
  }
}

/** The address without fragment, credentials, and the parameters that may not be captured. */
function strip(from: URL, allowed: readonly string[]): string {
  const url = new URL(from);
  url.hash = url.username = url.password = "";
  for (const name of [...url.searchParams.keys()]) {
    if (!/^utm_/.test(name) && !allowed.includes(name)) url.searchParams.delete(name);
  }
  return url.href;
}

