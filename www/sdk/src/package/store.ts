/**
 * The decisions that React renders: those that the server took, until the client knows as much as the server did, then the
 * client's.
 */
import { selvedge } from "./facade";
import type { Decision } from "../types";

export type Store = {
  /** What stands in a slot now. */
  now(slot: string): Decision | undefined;
  /** What the server rendered. */
  first(slot: string): Decision | undefined;
  subscribe(changed: () => void): () => void;
  /** Hears the client from now on; gives back how to stop. */
  listen(): () => void;
};

export function createStore(taken: readonly Decision[]): Store {
  const first = new Map(taken.map((decision) => [decision.slot, decision]));
  const heard = new Map<string, Decision>();
  const listeners = new Set<() => void>();
  /** Whether the client's fallbacks count: the edge has answered it, or what the server knew may not be used. */
  let isAnswered = false;
  const tell = (): void => listeners.forEach((changed) => changed());
  const answered = (): void => {
    if (isAnswered) return;
    isAnswered = true;
    tell();
  };
  return {
    first: (slot) => first.get(slot),
    now: (slot) => {
      const decision = heard.get(slot);
      const isKnown = decision && (isAnswered || decision.rule);
      return isKnown ? decision : (first.get(slot) ?? decision);
    },
    subscribe: (changed) => {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    listen: () => {
      const stops = [
        selvedge.on("decision", (decision) => {
          heard.set(decision.slot, decision);
          tell();
        }),
        selvedge.on("accepted", answered),
        selvedge.on("consent", ({ personalization }) => {
          if (!personalization) answered();
        }),
      ];
      for (const decision of selvedge.decisions()) heard.set(decision.slot, decision);
      if (heard.size) tell();
      return () => stops.forEach((stop) => stop());
    },
  };
}
