/** What the kinds of capture know of the page. */
import type { Properties } from "../types";

/** Kinds, each with what it needs to know besides. */
export type Wanted = ReadonlyMap<string, string>;

export type Page = {
  /** Captures an event, where the tracking plan knows it. `readings`: what texts of it are as numbers. */
  say(name: string, properties: Properties, readings?: Properties): void;
  /** Calls back when a page view is over and another begins. */
  turn(callback: () => void): void;
};

export type Watcher = (page: Page, option: string) => void;

/** Hears an event wherever in the document it is, before the page does. */
export function hear<Type extends keyof Heard>(types: readonly Type[], heard: (event: Heard[Type]) => void): void {
  for (const type of types) addEventListener(type, heard as EventListener, { capture: true, passive: true });
}

type Heard = WindowEventMap & DocumentEventMap;
