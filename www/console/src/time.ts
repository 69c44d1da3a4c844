// Moments and ids as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time of day with milliseconds. */
export function clock(timeMs: number): string {
  return CLOCK.format(timeMs);
}

/** Day and time of a moment or of RFC 3339 text; the text itself where it is none. */
export function full(time: number | string): string {
  const ms = typeof time === "number" ? time : Date.parse(time);
  return Number.isNaN(ms) ? String(time) : FULL.format(ms);
}

/** What lies between two moments, short: `+1.2 s`, `+3 min`. */
export function gap(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1_000) return `${size} ms`;
  if (size < 60_000) return `${(size / 1_000).toFixed(1)} s`;
  if (size < 3_600_000) return `${Math.round(size / 60_000)} min`;
  return size < 86_400_000 ? `${(size / 3_600_000).toFixed(1)} h` : `${Math.round(size / 86_400_000)} d`;
}

/** The first digits of an id. */
export function short(id: string): string {
  return id.slice(0, 8);
}
