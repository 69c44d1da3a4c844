/** The global `selvedge`: what a site calls goes into the sink, what comes of it reaches the site's listeners. */
import { address, inOrder } from "./capture";
import { decisions, lookAgain, want } from "./decisions";
import { priced } from "./ecommerce";
import { PURPOSES, purposesOf, type EventType, type Sink } from "./sink";
import type { Call } from "./stub";
import type { Choice, Decision, Notices, Properties, Selvedge } from "./types";

type Listener = { kind: keyof Notices; callback: (notice: never) => void };

export const listeners = new Set<Listener>();
let sink: Sink | undefined;
let purposes = purposesOf(1);
/** When the call that is being made was made: calls that waited for the client keep their time. */
let callTime = 0;
let shownUrl = "";

export function connect(to: Sink): void {
  sink = to;
}

/** Tells listeners. One that fails is the site's to see, and stops nobody else. */
export function heard<Kind extends keyof Notices>(kind: Kind, notice: Notices[Kind]): void {
  if (kind === "consent") purposes = notice as Notices["consent"];
  for (const listener of listeners) {
    if (listener.kind === kind) {
      queueMicrotask(() => (listener.callback as (notice: Notices[Kind]) => void)(notice));
    }
  }
}

/** `readings`: what properties that are text read as, for those that the tracking plan has another type for. */
export function capture(
  type: EventType,
  name: string,
  properties: Properties = {},
  readings: Properties = {},
  isAutomatic = false,
): void {
  const time = callTime || Date.now();
  inOrder(() => sink?.capture(type, `${name}`, time, properties, isAutomatic, readings));
}

/** Something was noticed: recorded where the tracking plan knows it. */
export function notice(name: string, properties: Properties, readings?: Properties): void {
  capture("track", name, properties, readings, true);
}

/** What a rule shows was clicked or put away: recorded where the tracking plan knows the event, which a rule makes it do. */
export function captureAct(name: string, slot: string): void {
  const { rule, reason } = decisions.get(slot) ?? {};
  if (rule && reason !== "control") notice(name, { slot, rule });
}

export function capturePage(referrer: string, properties: Properties = {}): void {
  shownUrl = address();
  sink?.page(callTime || Date.now(), referrer, properties);
  lookAgain();
}

export const api: Selvedge = {
  track: (name, properties) => capture("track", name, properties),
  page: (name, properties) => {
    capturePage(shownUrl || document.referrer, !name ? properties : { name, ...properties });
  },
  ecommerce: (action, sale) => capture("track", action, priced(sale)),
  identify: (userId, traits) => capture("identify", userId, traits),
  group: (accountId, traits) => capture("group", accountId, traits),
  alias: (userId) => capture("alias", userId),
  consent: (choice) => {
    if (choice) sink?.consent(bits(choice, true), bits(choice, false));
    return purposes;
  },
  slot: (name, callback) => {
    const decision = api.decisions().find(({ slot }) => slot === name);
    if (decision) callback(decision);
    return api.on("decision", (decision: Decision) => {
      if (decision.slot === name) callback(decision);
    });
  },
  decisions: () => {
    want();
    sink?.catchUp?.();
    return [...decisions.values()];
  },
  flush: () => inOrder(() => sink?.flush()),
  reset: () => inOrder(() => sink?.reset()),
  on: (kind, callback) => {
    const listener: Listener = { kind, callback };
    listeners.add(listener);
    if (kind === "decision") want();
    return () => void listeners.delete(listener);
  },
};

/** Makes the calls that waited for the client, each with its own time. */
export function makeCalls(calls: readonly Call[]): void {
  for (const [method, parameters, time] of calls) {
    at(time, () => (api[method] as (...parameters: unknown[]) => unknown)(...parameters));
  }
}

/** Makes a call as of `time`. One that fails does not stop the next. */
export function at(time: number, call: () => void): void {
  callTime = time;
  try {
    call();
  } catch {
    // Parameters that are none.
  }
  callTime = 0;
}

function bits(choice: Choice, said: boolean): number {
  return PURPOSES.reduce((bits, purpose, at) => (choice[purpose] === said ? bits | (1 << at) : bits), 0);
}
