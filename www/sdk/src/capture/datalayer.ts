/** The site's `dataLayer`, as Google's tag managers read it: its events are captured where the tracking plan knows them. */
import { priced } from "../ecommerce";
import type { Properties, Value } from "../types";
import type { Watcher } from "./page";

type Entry = { readonly [name: string]: Value };

export const datalayer: Watcher = (page, option) => {
  const names = new Map(option.split(",").map((pair) => pair.split(":") as [string, string]));
  const take = (entry: unknown): void => {
    const { event, ecommerce, ...rest } = entryOf(entry);
    if (typeof event !== "string" || event.startsWith("gtm.")) return;
    const properties = priced({ ...plain(rest), ...(ecommerce as Entry | undefined) });
    page.say(names.get(event) ?? event, properties, numbersIn(properties));
  };
  const layer = ((window as { dataLayer?: unknown[] }).dataLayer ??= []);
  layer.slice().forEach(take);
  const push = layer.push;
  layer.push = function (...entries) {
    const length = push.apply(this, entries);
    try {
      entries.forEach(take);
    } catch {
      // The site's call works as before.
    }
    return length;
  };
};

/** `gtag("event", name, parameters)` pushes its arguments. */
function entryOf(entry: unknown): Entry {
  const { 0: word, 1: event, 2: ecommerce } = (entry ?? {}) as { 0?: Value; 1?: Value; 2?: Value };
  if (word === "event") return { event, ecommerce };
  return (entry ?? {}) as Entry;
}

/** What is no object: those belong to the tag manager, or are a person's. */
function plain(rest: Entry): Properties {
  const isPlain = ([name, value]: [string, Value]): boolean => !/^(gtm|eventTimeout)/.test(name) && typeof value !== "object" && typeof value !== "function";
  return Object.fromEntries(Object.entries(rest).filter(isPlain));
}

/** Amounts that stand there as text. */
function numbersIn(properties: Properties): Properties {
  const isNumber = ([, value]: [string, Value]): boolean => typeof value === "string" && value.trim() !== "" && isFinite(+value);
  return Object.fromEntries(Object.entries(properties).filter(isNumber).map(([name, value]) => [name, +(value as string)]));
}
