// What the shop remembers. Nothing is written to the device before the privacy question is answered: until then
// everything lives in memory, and afterwards the cart and the wishlist, which the shop needs, are kept.

const PREFIX = "nordgang.";
const memory = new Map<string, string>();

/** What is remembered under `key`, or `fallback`. */
export function remembered<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): T {
  const text = memory.get(key) ?? read(key);
  if (text === null) return fallback;
  try {
    const value: unknown = JSON.parse(text);
    return isValid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** Remembers `value` under `key`: on the device if the privacy question is answered, else in memory. */
export function remember(key: string, value: unknown): void {
  memory.set(key, JSON.stringify(value));
  if (read("privacy") !== null || key === "privacy") writeAll();
}

function writeAll(): void {
  for (const [key, text] of memory) {
    try {
      localStorage.setItem(PREFIX + key, text);
    } catch {
      return; // Storage is full or forbidden: memory serves for this visit.
    }
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
