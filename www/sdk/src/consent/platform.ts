/** A consent platform of its own kind: an event to listen to, a path to read, a map to purposes. Nothing is ever evaluated. */
import { PLATFORM, sayPurposes, until, type Platform, type Say } from "./sources";

export function readPlatform(say: Say, { listen, read, answered, map }: Platform): void {
  let isRead = false;

  const look = async (): Promise<void> => {
    try {
      const isInside = answered?.[0] === ".";
      if (answered && !isInside && !follow(window, answered)) return;
      const value = await follow(window, read);
      if (isInside && !holds(value, answered!.slice(1))) return;
      const are = map.map((names) => (names.length ? names.every((name) => holds(value, name)) : undefined));
      isRead = true;
      sayPurposes(say, PLATFORM, are, typeof value === "string" ? value : JSON.stringify(value));
    } catch {
      // It is not there yet, or not as it is described.
    }
  };

  const calls = listen.filter((one) => {
    if (one.endsWith(")")) return true;
    addEventListener(one, () => void look());
    return false;
  });
  until(() => {
    void look();
    while (calls.length && register(calls[0]!, look)) calls.shift();
    return isRead && !calls.length;
  });
}

/** Calls `path(callback)`, `path(event, callback)` or `path({name: callback})`. False where it is not there yet. */
function register(call: string, callback: () => unknown): boolean {
  const [, owner, name, argument] = /^(?:(.+)\.)?([^.(]+)\((.*)\)$/.exec(call) ?? [];
  try {
    const self = (owner ? follow(window, owner) : window) as Record<string, (...parameters: unknown[]) => void>;
    const field = /^{(.*)}$/.exec(argument!);
    self[name!]!(...(field ? [{ [field[1]!]: callback }] : argument ? [argument, callback] : [callback]));
    return true;
  } catch {
    return false;
  }
}

/** What stands at the end of a path of names and calls without arguments; `!` before it turns it round. Throws where it leads nowhere. */
function follow(from: unknown, path: string): unknown {
  let at = from;
  for (const part of path.replace("!", "").split(".")) {
    const owner = at as Record<string, unknown>;
    const next = owner[part.replace("()", "")];
    at = part.endsWith("()") ? (next as () => unknown).call(owner) : next;
  }
  if (at === undefined) throw at;
  return path[0] === "!" ? !at : at;
}

/** Whether a word is in a list, or a path of an object says true, or the word behind `=`. */
function holds(value: unknown, name: string): boolean {
  if (typeof value === "string") return value.split(/[,;|\s]+/).includes(name);
  if (Array.isArray(value)) return value.includes(name);
  const [path, wanted] = name.split("=");
  try {
    const found = follow(value, path!);
    return wanted ? found === wanted : found === true;
  } catch {
    return false;
  }
}
