/**
 * The device's storage: records as Latin-1 text under `selvedge.<site>.`. Where storage is denied or full, nothing is
 * kept and nothing breaks: the head's queue is in memory too.
 */
import { toLatin } from "./decode";

export type Entry = readonly [key: string, value: Uint8Array];

let prefix = "";
/** The site wants nothing on the device: everything lives as long as the page. */
let isMemory = false;
/** The device forgot the visitor: what else knows the id has to forget it, too. */
let forgotten: (() => void) | undefined;
let isForgotten = false;
/** What is to be stored, or erased (null), by full key. */
const pending = new Map<string, string | null>();

/** With `memory` what an earlier page kept is erased, and nothing is kept from now on. */
export function openStorage(site: string, memory = false): void {
  prefix = `selvedge.${site}.`;
  if (memory) eraseAll();
  isMemory = memory;
}

/** Calls back whenever the device forgets the visitor; at once where it did before. */
export function onForgotten(callback: () => void): void {
  forgotten = callback;
  if (isForgotten) callback();
}

/** Calls back with the storage; gives back `otherwise` where the browser denies it. */
function attempt<Result>(use: (storage: Storage) => Result, otherwise: Result): Result {
  try {
    return isMemory ? otherwise : use(localStorage);
  } catch {
    return otherwise;
  }
}

export function read(key: string): Uint8Array | undefined {
  commit();
  return toBytes(attempt((storage) => storage.getItem(prefix + key), null));
}

export function write(key: string, value: Uint8Array): void {
  plan(key, toLatin(value));
}

export function erase(key: string): void {
  plan(key, null);
  if (key === "visitor") {
    isForgotten = true;
    forgotten?.();
  }
}

/** Erases everything of this site, now. */
export function eraseAll(): void {
  [...keys(""), "visitor"].forEach(erase);
  commit();
}

/** Storage is slow: the site's call returns first, then all changes of the task are made. */
function plan(key: string, value: string | null): void {
  if (!pending.size) queueMicrotask(commit);
  pending.set(prefix + key, value);
}

/** Makes all changes, now. */
export function commit(): void {
  for (const [key, value] of pending) {
    attempt((storage) => (value === null ? storage.removeItem(key) : storage.setItem(key, value)), undefined);
  }
  pending.clear();
}

/** The keys that begin so, without the site's prefix. */
export function keys(beginning: string): string[] {
  commit();
  const all = attempt((storage) => Object.keys(storage), []);
  return all.filter((key) => key.startsWith(prefix + beginning)).map((key) => key.slice(prefix.length));
}

export function entries(keys: readonly string[]): Entry[] {
  return keys.flatMap((key) => {
    const value = read(key);
    return value ? [[key, value] as const] : [];
  });
}

/** Calls back when another tab stored or erased a record of this site. */
export function watch(changed: (key: string, value: Uint8Array | undefined) => void): void {
  addEventListener("storage", ({ key, newValue }) => {
    if (key?.startsWith(prefix)) changed(key.slice(prefix.length), toBytes(newValue));
  });
}

function toBytes(latin: string | null): Uint8Array | undefined {
  if (latin === null) return undefined;
  const bytes = new Uint8Array(latin.length);
  for (let at = 0; at < latin.length; at++) bytes[at] = latin.charCodeAt(at);
  return bytes;
}
