// How long to wait before the next attempt: doubling, bounded, with jitter so that consoles do not come back together.

const FIRST_MS = 500;
const MAX_MS = 15_000;

/** Milliseconds before attempt number `attempt` (0 is the first repetition); `random` is in [0, 1). */
export function waitMs(attempt: number, random: number): number {
  const full = Math.min(FIRST_MS * 2 ** Math.min(attempt, 10), MAX_MS);
  return Math.round(full * (0.5 + random / 2));
}
