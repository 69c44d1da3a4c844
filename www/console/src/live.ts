// The live list: follows the log and the quarantine, keeps the newest entries, counts, filters and pauses.

import { batch, computed, signal } from "@preact/signals";
import { Failure, type Api } from "./api.js";
import { waitMs } from "./backoff.js";
import { accepted, refused, type Entry } from "./entry.js";
import { matches, wordsOf, type Kind } from "./filter.js";
import { Rate, type Second } from "./rate.js";
import { signOut } from "./session.js";

/** Entries that are kept; older ones are forgotten. */
export const ENTRIES_MAX = 2_000;
const QUARANTINE_EVERY_MS = 2_000;

/** How the connection to the log stands. */
export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "waiting"; readonly failure: Failure; readonly untilMs: number };

/** The connection. */
export const connection = signal<Connection>({ state: "connecting" });
/** The kept entries, newest first. */
export const entries = signal<readonly Entry[]>([]);
/** All entries that came since the console was opened. */
export const totals = signal<Second>({ accepted: 0, refused: 0 });
/** Entries per second. */
export const seconds = signal<readonly Second[]>([]);
/** Whether the list stands still. */
export const isPaused = signal(false);
/** What the list is filtered by. */
export const filterText = signal("");
/** Which kind of entries is shown. */
export const filterKind = signal<Kind>("all");

const frozen = signal<readonly Entry[]>([]);

/** What the list shows. */
export const shown = computed(() => {
  const words = wordsOf(filterText.value);
  const source = isPaused.value ? frozen.value : entries.value;
  return source.filter((entry) => matches(entry, filterKind.value, words));
});

/** Entries that came while the list stood still. */
export const missed = computed(() => {
  const top = frozen.value[0];
  if (!isPaused.value) return 0;
  const at = top === undefined ? -1 : entries.value.indexOf(top);
  return at < 0 ? entries.value.length : at;
});

const rate = new Rate();
let arrived: Entry[] = [];
let isScheduled = false;

/** Stops the list, or lets it go on. */
export function togglePause(): void {
  frozen.value = entries.value;
  isPaused.value = !isPaused.value;
}

/** Follows the worker until the signal ends it. */
export function follow(api: Api, signal: AbortSignal): void {
  forget();
  void followLog(api, signal);
  void pollQuarantine(api, signal);
  const clock = setInterval(() => { seconds.value = rate.last(Date.now()); }, 1_000);
  signal.addEventListener("abort", () => clearInterval(clock));
}

function forget(): void {
  arrived = [];
  batch(() => {
    entries.value = [];
    frozen.value = [];
    isPaused.value = false;
    totals.value = { accepted: 0, refused: 0 };
    connection.value = { state: "connecting" };
  });
}

/** How much of what is there already a console that was just opened shows: rows of each shard. */
const TAIL = "tail:200";

async function followLog(api: Api, signal: AbortSignal): Promise<void> {
  let cursor = TAIL;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const take = (lines: readonly string[]): void => {
      for (const entry of lines.flatMap((line) => accepted(line) ?? [])) {
        cursor = entry.cursor;
        arrive(entry);
      }
    };
    const opened = (): void => {
      attempt = 0;
      connection.value = { state: "live" };
    };
    const failure = await api.follow(cursor, take, opened, signal).then(() => undefined, asFailure);
    if (signal.aborted || isSignedOut(failure)) return;
    await retryLater(attempt, failure, signal);
  }
}

async function retryLater(attempt: number, failure: Failure | undefined, signal: AbortSignal): Promise<void> {
  const ms = waitMs(attempt, Math.random());
  const why = failure ?? new Failure("ended", "The stream of the log ended.", "It is taken up where it stopped.");
  connection.value = { state: "waiting", failure: why, untilMs: Date.now() + ms };
  await pause(ms, signal);
}

async function pollQuarantine(api: Api, signal: AbortSignal): Promise<void> {
  let cursor = TAIL;
  while (!signal.aborted) {
    const take = (lines: readonly string[]): void => {
      for (const entry of lines.flatMap((line) => refused(line) ?? [])) {
        cursor = entry.cursor;
        arrive(entry);
      }
    };
    // A failure here is one of the log's too, which shows it.
    await api.quarantine(cursor, take, signal).catch(() => {});
    await pause(QUARANTINE_EVERY_MS, signal);
  }
}

/** Entries are shown once per frame, however many come. */
function arrive(entry: Entry): void {
  arrived.push(entry);
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(settle, 60);
}

function settle(): void {
  isScheduled = false;
  const fresh = arrived;
  arrived = [];
  for (const entry of fresh) rate.count(entry.receivedMs, entry.kind);
  const refusals = fresh.filter((entry) => entry.kind === "refused").length;
  batch(() => {
    totals.value = { accepted: totals.value.accepted + fresh.length - refusals, refused: totals.value.refused + refusals };
    entries.value = merged(entries.value, fresh);
    seconds.value = rate.last(Date.now());
  });
}

/** Newest first by receipt; what one visitor sent together, by its writer's count. */
export function merged(known: readonly Entry[], fresh: readonly Entry[]): readonly Entry[] {
  return [...fresh, ...known].sort(newestFirst).slice(0, ENTRIES_MAX);
}

function newestFirst(left: Entry, right: Entry): number {
  if (left.receivedMs !== right.receivedMs) return right.receivedMs - left.receivedMs;
  if (left.visitor !== right.visitor) return left.visitor < right.visitor ? 1 : -1;
  return right.sequence - left.sequence;
}

function isSignedOut(failure: Failure | undefined): boolean {
  if (failure?.code !== "unknown_key") return false;
  signOut("This token was not accepted. Take the one that the worker printed when it started.");
  return true;
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("broken", "The connection to the log broke.", "It is taken up where it stopped.");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
