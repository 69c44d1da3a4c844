/** What readers of consent tell, and of which source. Numbers as in crates/selvedge-core/src/consent.rs (`Signals`). */

export const TCF = 4;
export const GPP = 8;
export const CONSENT_MODE = 16;
export const PLATFORM = 32;
export const DNT = 64;

/** The source asks the visitor, or cannot say what the answer is. */
export const ASKS = 0;
/** It is not there, or not yet. */
export const ABSENT = 1;
/** It says something of the purposes. */
export const SAYS = 2;
/** It does not apply here. */
export const NOTHING = 3;

/** Analytics, personalization and advertising, as bits. */
export const ALL = 14;

/** How a consent platform without a standard is read. */
export type Platform = {
  /** Events of the window, or paths that are called with a callback. */
  readonly listen: readonly string[];
  readonly read: string;
  /** A path that says whether there is an answer; behind a dot it begins at what was read. */
  readonly answered?: string;
  /** What has to be there for analytics, personalization, advertising. */
  readonly map: readonly (readonly string[])[];
};

/** What the site's config says of its sources of consent. */
export type Sources = {
  /** Which are read, as bits. */
  readonly read: number;
  /** How long silence is waited out, in milliseconds. */
  readonly wait: number;
  readonly vendor?: number;
  readonly asked?: readonly number[];
  readonly platform?: Platform;
  readonly tell?: boolean;
};

/** Tells what was heard: bits of what is granted and denied, and the text that says it. */
export type Say = (source: number, what: number, granted?: number, denied?: number, text?: string) => void;

/** Tells for each of the three purposes whether it is granted, where anything is known of it. */
export function sayPurposes(say: Say, source: number, are: readonly (boolean | undefined)[], text: string): void {
  const bits = (wanted: boolean): number => are.reduce((bits, is, at) => (is === wanted ? bits | (2 << at) : bits), 0);
  say(source, SAYS, bits(true), bits(false), text);
}

/** Asks again and again, less and less often, until `look` says that it has found what it looks for. */
export function until(look: () => boolean, delay = 50): void {
  if (!look()) setTimeout(until, delay, look, Math.min(delay * 1.5, 1000));
}
