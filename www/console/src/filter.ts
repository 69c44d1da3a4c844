// Which entries are shown.

import type { Entry } from "./entry.js";

/** The kinds of entries that can be picked. */
export const KINDS = ["all", "decisions", "refused"] as const;

/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[number];

/** Whether an entry is of a kind and holds every word: in its name, visitor, source, code, or in a decision. */
export function matches(entry: Entry, kind: Kind, words: readonly string[]): boolean {
  if (kind === "refused" && entry.kind !== "refused") return false;
  if (kind === "decisions" && !(entry.kind === "accepted" && entry.decisions.length > 0)) return false;
  if (words.length === 0) return true;
  const text = searchable(entry);
  return words.every((word) => text.includes(word));
}

/** The words of a filter's text. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 10);
}

function searchable(entry: Entry): string {
  const more = entry.kind === "refused" ? entry.code : entry.decisions.map((one) => `${one.slot} ${one.rule ?? ""} ${one.content ?? ""}`).join(" ");
  return `${entry.name} ${entry.type} ${entry.visitor} ${entry.source} ${more}`.toLowerCase();
}
