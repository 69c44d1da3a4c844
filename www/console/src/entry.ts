// One line of the live list: an event of the log, or a refused one of the quarantine.

import { members } from "./json_text.js";

/** The outcome for one slot. */
export interface Decision {
  readonly slot: string;
  readonly rule: string | null;
  readonly content: string | null;
  readonly reason: string;
  readonly detail: string;
}

/** Where a refused event breaks its plan. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** What both kinds have. */
interface Common {
  /** Tells entries apart; stable. */
  readonly key: string;
  readonly cursor: string;
  readonly visitor: string;
  readonly name: string;
  readonly type: string;
  /** The property that says most of it: a path, a product, a search, how far or how long; empty where it has none of those. */
  readonly hint: string;
  readonly source: string;
  readonly trust: string;
  readonly sequence: number;
  /** Unix milliseconds: when it happened by the writer's clock, and when the edge got it. */
  readonly timeMs: number;
  readonly receivedMs: number;
  /** The members of the line as text, exactly as they came. */
  readonly raw: ReadonlyMap<string, string>;
}

/** An accepted event. */
export interface Accepted extends Common {
  readonly kind: "accepted";
  readonly isLate: boolean;
  readonly isClockOff: boolean;
  readonly purposes: readonly string[];
  readonly decisions: readonly Decision[];
}

/** A refused event. */
export interface Refused extends Common {
  readonly kind: "refused";
  readonly code: string;
  readonly faults: readonly Fault[];
}

/** A line of the live list. */
export type Entry = Accepted | Refused;

type Fields = Readonly<Record<string, unknown>>;

/** The entry of a log line; nothing where the line is none. */
export function accepted(line: string): Accepted | undefined {
  const fields = parsed(line);
  if (fields === undefined || fields["kind"] === "gap") return undefined;
  return {
    ...common(fields, line),
    kind: "accepted",
    hint: hintOf(object(fields["properties"])),
    key: `a${text(fields["id"])}`,
    name: text(fields["name"]),
    type: text(fields["type"]),
    timeMs: number(fields["time_ms"]),
    isLate: fields["late"] === true,
    isClockOff: fields["clock_off"] === true,
    purposes: list(fields["purposes"]).map(text),
    decisions: list(fields["decisions"]).map(decision),
  };
}

/** The entry of a quarantine line; nothing where the line is none. */
export function refused(line: string): Refused | undefined {
  const fields = parsed(line);
  if (fields === undefined) return undefined;
  const event = object(fields["event"]);
  const base = common(fields, line);
  const raw = new Map([...members(base.raw.get("event") ?? ""), ...base.raw]);
  raw.delete("event");
  return {
    ...base,
    raw,
    kind: "refused",
    hint: hintOf(object(event["properties"])),
    key: `r${base.cursor}`,
    name: text(event["name"]) || "unreadable",
    type: text(event["type"]),
    timeMs: number(event["time_ms"]) || base.receivedMs,
    code: text(fields["code"]),
    faults: list(fields["faults"]).map((one) => ({ path: text(object(one)["path"]), message: text(object(one)["message"]) })),
  };
}

/** The decision that a piece of JSON describes. */
export function decision(value: unknown): Decision {
  const fields = object(value);
  return {
    slot: text(fields["slot"]),
    rule: nullable(fields["rule"]),
    content: nullable(fields["content"]),
    reason: text(fields["reason"]),
    detail: text(fields["detail"]),
  };
}

function common(fields: Fields, line: string): Omit<Common, "key" | "name" | "type" | "hint" | "timeMs"> {
  return {
    cursor: text(fields["cursor"]),
    visitor: text(fields["visitor"]),
    source: text(fields["source"]),
    trust: text(fields["trust"]),
    sequence: number(fields["sequence"]),
    receivedMs: number(fields["received_at_ms"]),
    raw: members(line),
  };
}

const HINTS = ["path", "query", "sku", "category", "slot", "order_id", "topic", "step", "reason", "method", "user_id", "form", "element", "metric", "message"];
const MEASURES = [
  ["percent", "%", 1],
  ["duration_ms", "s", 1_000],
] as const;
const HINT_LENGTH_MAX = 60;

function hintOf(properties: Fields): string {
  const name = HINTS.find((known) => typeof properties[known] === "string");
  if (name !== undefined) return text(properties[name]).slice(0, HINT_LENGTH_MAX);
  const measure = MEASURES.find(([known]) => typeof properties[known] === "number");
  if (measure === undefined) return "";
  const [known, unit, per] = measure;
  return `${Math.round((number(properties[known]) / per) * 10) / 10} ${unit}`;
}

function parsed(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "cursor" in value ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** The value as an object; empty where it is none. */
export function object(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** The value as a list; empty where it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text; empty where it is none. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The value as a number; 0 where it is none. */
export function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function nullable(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
