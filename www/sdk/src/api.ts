/** The global `selvedge`: what a site calls becomes inputs of the head, what the head says reaches the site's listeners. */
import { input, Kind, random, tell } from "./head";
import { decisions } from "./slots";
import type { Call, Choice, Decision, Notices, Properties, Selvedge } from "./types";

const PURPOSES = ["necessary", "analytics", "personalization", "advertising"] as const;
/** Wire numbers of event types. */
const TRACK = 0;
const IDENTIFY = 2;
const GROUP = 3;
const ALIAS = 4;

type Listener = { kind: keyof Notices; callback: (notice: never) => void };

const listeners = new Set<Listener>();
let purposes: Notices["consent"] = { necessary: true, analytics: false, personalization: false, advertising: false };
/** When the call that is being made was made: calls that waited for the client keep their time. */
let callTime = 0;
let shownUrl = "";

/** Tells listeners. One that fails is the site's to see, and stops nobody else. */
export function heard<Kind extends keyof Notices>(kind: Kind, notice: Notices[Kind]): void {
  if (kind === "consent") purposes = notice as Notices["consent"];
  for (const listener of listeners) {
    if (listener.kind === kind) {
      queueMicrotask(() => (listener.callback as (notice: Notices[Kind]) => void)(notice));
    }
  }
}

export function capture(eventType: number, name: string, properties: Properties, isAutomatic = false): void {
  const event = input(Kind.capture).u8(eventType).text(`${name}`).varint(now()).map(properties).flag(isAutomatic);
  if (!tell(event)) heard("lost", { count: 1 });
}

/** A link was clicked: recorded where the tracking plan knows `link_click`. */
export function captureLink(url: string, text: string): void {
  capture(TRACK, "link_click", { url: withoutParameters(url), text }, true);
}

export function capturePage(referrer: string, properties: Properties = {}): void {
  const url = location.href;
  shownUrl = url;
  tell(input(Kind.page).varint(now()).text(url).text(document.title).text(referrer).map(properties));
}

export const api: Selvedge = {
  track: (name, properties = {}) => capture(TRACK, name, properties),
  page: (name, properties = {}) => {
    const referrer = shownUrl || document.referrer;
    capturePage(referrer, name === undefined ? properties : { name, ...properties });
  },
  identify: (userId, traits = {}) => capture(IDENTIFY, userId, traits),
  group: (accountId, traits = {}) => capture(GROUP, accountId, traits),
  alias: (userId) => capture(ALIAS, userId, {}),
  consent: (choice) => {
    if (choice) tell(input(Kind.consent).varint(bits(choice, true)).varint(bits(choice, false)).raw(random(19)));
    return purposes;
  },
  slot: (name, callback) => {
    const decision = decisions.get(name);
    if (decision) callback(decision);
    return api.on("decision", (decision: Decision) => {
      if (decision.slot === name) callback(decision);
    });
  },
  decisions: () => [...decisions.values()],
  flush: () => void tell(input(Kind.flush)),
  reset: () => void tell(input(Kind.reset).raw(random(19))),
  on: (kind, callback) => {
    const listener: Listener = { kind, callback };
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

/** Makes the calls that waited for the client, each with its own time. */
export function makeCalls(calls: readonly Call[]): void {
  for (const [method, parameters, time] of calls) {
    callTime = time;
    try {
      (api[method] as (...parameters: unknown[]) => unknown)(...parameters);
    } catch {
      // A call with parameters that are none: the others still count.
    }
  }
  callTime = 0;
}

/** The page began before the client was ready. */
export function at(time: number, call: () => void): void {
  callTime = time;
  call();
  callTime = 0;
}

function now(): number {
  return callTime || Date.now();
}

function bits(choice: Choice, said: boolean): number {
  return PURPOSES.reduce((bits, purpose, at) => (choice[purpose] === said ? bits | (1 << at) : bits), 0);
}

function withoutParameters(url: string): string {
  return url.split(/[?#]/)[0] ?? "";
}
