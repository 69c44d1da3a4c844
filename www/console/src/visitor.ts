// The picked visitor: its events of the live list, and what the edge keeps of it.

import { computed, effect, signal } from "@preact/signals";
import { Failure } from "./api.js";
import { decision, list, number, object, text, type Decision, type Entry } from "./entry.js";
import { entries } from "./live.js";
import { api } from "./session.js";

/** A rule and why it acts or does not. */
export interface Candidate {
  readonly rule: string;
  readonly slot: string;
  readonly priority: number;
  readonly reason: string;
  /** The part of the condition that decided, and where it is written; empty where none did. */
  readonly detail: string;
  readonly place: string;
}

/** A name and its value, for tables. */
export type Row = readonly [name: string, value: string | null];

/** What the edge keeps of a visitor. */
export interface Kept {
  readonly program: string;
  readonly inForce: readonly string[];
  readonly isGpc: boolean;
  readonly mode: string;
  readonly bytes: number;
  readonly bornAt: string;
  readonly sessionNumber: number;
  readonly sessionStartedAt: string;
  readonly sessionPages: number;
  readonly decisions: readonly Decision[];
  readonly candidates: readonly Candidate[];
  readonly sessionFacts: readonly Row[];
  readonly pageFacts: readonly Row[];
  readonly metrics: readonly { readonly name: string; readonly event: string; readonly count: number; readonly since: string }[];
  readonly caps: readonly { readonly of: string; readonly used: number; readonly granted: number; readonly left: number }[];
  readonly writers: readonly Row[];
}

/** The id of the picked visitor; empty where none is picked. */
export const picked = signal("");
/** The key of the entry whose details are open. */
export const opened = signal("");
/** What the edge keeps of the picked visitor. */
export const kept = signal<Kept | undefined>(undefined);
/** Why that could not be read. */
export const failure = signal<Failure | undefined>(undefined);
/** The picked visitor's entries, newest first. */
export const timeline = computed(() => (picked.value === "" ? [] : entries.value.filter((entry) => entry.visitor === picked.value)));

const REFRESH_AFTER_MS = 250;
const REFRESH_EVERY_MS = 5_000;
/** Changes with every event of the picked visitor, and with nothing else. */
const newest = computed(() => timeline.value[0]?.key ?? "");

/** Picks an entry and its visitor. */
export function pick(entry: Entry): void {
  if (picked.peek() !== entry.visitor) {
    kept.value = undefined;
    failure.value = undefined;
  }
  picked.value = entry.visitor;
  opened.value = entry.key;
}

/** Lets the visitor go. */
export function unpick(): void {
  picked.value = "";
  opened.value = "";
  kept.value = undefined;
}

/** Keeps {@link kept} fresh: after every event of the visitor, and every few seconds while the tab is seen. */
export function watchVisitor(): void {
  effect(() => {
    const id = picked.value;
    const worker = api.value;
    void newest.value;
    if (id === "" || worker === undefined) return;
    const controller = new AbortController();
    const load = (): void => {
      if (document.hidden) return;
      worker.visitor(id, controller.signal).then(
        (json) => take(id, json),
        (error: unknown) => { if (!controller.signal.aborted) failure.value = error instanceof Failure ? error : undefined; },
      );
    };
    const first = setTimeout(load, kept.peek() === undefined ? 0 : REFRESH_AFTER_MS);
    const again = setInterval(load, REFRESH_EVERY_MS);
    return () => {
      clearTimeout(first);
      clearInterval(again);
      controller.abort();
    };
  });
}

function take(id: string, json: string): void {
  if (picked.peek() !== id) return;
  failure.value = undefined;
  kept.value = keptOf(JSON.parse(json));
}

/** Reads the answer of `GET /v1/visitors/{id}`; what is missing is empty. */
export function keptOf(value: unknown): Kept {
  const fields = object(value);
  const session = object(fields["session"]);
  const consent = object(fields["consent"]);
  const page = object(list(fields["pages"]).at(-1));
  return {
    program: text(fields["program"]),
    inForce: list(fields["in_force"]).map(text),
    isGpc: consent["gpc"] === true,
    mode: text(consent["mode"]),
    bytes: number(fields["state_bytes"]),
    bornAt: text(fields["born_at"]),
    sessionNumber: number(session["number"]),
    sessionStartedAt: text(session["started_at"]),
    sessionPages: number(session["pages"]),
    decisions: list(fields["decisions"]).map(decision),
    candidates: list(fields["candidates"]).map(candidate),
    sessionFacts: rows({ ...object(fields["facts"]), ...object(session["facts"]) }),
    pageFacts: rows(object(page["facts"])),
    metrics: list(fields["metrics"]).map(object).map((one) => ({ name: text(one["name"]), event: text(one["event"]), count: number(one["count"]), since: text(one["observed_since"]) })),
    caps: list(fields["caps"]).map(object).map((one) => ({ of: text(one["of"]), used: number(one["used"]), granted: number(one["granted"]), left: number(one["left"]) })),
    writers: list(fields["writers"]).map(object).map((one) => [text(one["writer"]), `up to ${number(one["highest"])}, without a gap to ${number(one["mark"])}`] as const),
  };
}

function candidate(value: unknown): Candidate {
  const fields = object(value);
  const [file, line, column] = [text(fields["file"]), number(fields["line"]), number(fields["column"])];
  return {
    rule: text(fields["rule"]),
    slot: text(fields["slot"]),
    priority: number(fields["priority"]),
    reason: text(fields["reason"]),
    detail: text(fields["detail"]),
    place: file === "" ? "" : `${file}:${line}:${column}`,
  };
}

function rows(fields: Readonly<Record<string, unknown>>): readonly Row[] {
  return Object.entries(fields).map(([name, value]) => [name, value === null ? null : String(value)] as const);
}
