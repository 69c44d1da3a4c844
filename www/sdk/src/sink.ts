/** Where everything that happens in the page goes: the head, or, where wasm cannot run, plain delivery. */
import type { Say, Sources } from "./consent/sources";
import type { Identity } from "./identity";
import type { Selectors } from "./decisions";
import type { Decision, Notices, Properties } from "./types";

/** The site's config, as `GET /s/<site>/config` says it. */
export type Settings = {
  readonly topology: number;
  readonly refresh_ms: number;
  readonly consent: string;
  readonly policy_version: number;
  /** Which sources of consent the page reads; left out where it reads none. */
  readonly sources?: Sources;
  /** Where the visitor is: `US`, or `US-CA`. */
  readonly region?: string;
  readonly clock: number;
  readonly program: string | null;
  readonly publish: number;
  /** Rules that were stopped since, by the hash of their ids: 16 hexadecimal digits. */
  readonly paused?: readonly string[];
  /** What the page captures by itself: kind and option. */
  readonly capture?: readonly (readonly [kind: string, option: string])[];
  /** Where the visitor's id stands besides the page's own storage. */
  readonly identity?: Identity;
  /** Slots whose elements are found by a CSS selector: name and selector. */
  readonly selectors?: Selectors;
};

export type Sink = {
  /** `name`: of a track event; of identify, group and alias the id they are about. */
  capture(
    type: EventType,
    name: string,
    time: number,
    properties: Properties,
    isAutomatic: boolean,
    readings: Properties,
  ): void;
  /** What was captured so far counts from now on. Left out: it does already. */
  catchUp?(): void;
  page(time: number, referrer: string, properties: Properties): void;
  /** Purposes as bits, in the order of {@link PURPOSES}. */
  consent(granted: number, denied: number): void;
  /** A source of consent was heard. */
  hear: Say;
  /** Half of a slot is visible: what is capped there is claimed before it counts as seen. */
  inView(slot: string): void;
  seen(slot: string): void;
  flush(): void;
  reset(): void;
  hidden(): void;
  awake(): void;
  /** The site's config came; `undefined`: it cannot be had. */
  settle(settings: Settings | undefined): void;
};

/** Where a sink says what came of it. */
export type Ear = {
  heard<Kind extends keyof Notices>(kind: Kind, notice: Notices[Kind]): void;
  show(decision: Decision): void;
};

/** What unknown consent means, in the order of the wire's numbers. */
export const MODES = ["opt-in", "opt-out", "cnil"];

export const PURPOSES = ["necessary", "analytics", "personalization", "advertising"] as const;

/** Event types in the order of their wire numbers. */
export const EVENT_TYPES = ["track", "page", "identify", "group", "alias", "exposure"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export function purposesOf(bits: number): Notices["consent"] {
  return Object.fromEntries(PURPOSES.map((purpose, at) => [purpose, ((bits >> at) & 1) > 0])) as Notices["consent"];
}
