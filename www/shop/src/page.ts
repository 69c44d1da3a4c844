// What a route shows, and how routes are written.

import type { Markup } from "./markup.js";

/** A page: its title, its content, and what happens once it stands. */
export interface Page {
  readonly title: string;
  readonly body: Markup;
  /** Called with the element that holds the page, after it was put there. */
  readonly mounted?: (root: HTMLElement) => void;
  /** Tells what this visit means: called once the page stands and the document has its title. */
  readonly arrived?: () => void;
}

/** The place in the shop that is asked for. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The parts of the path that the route leaves open, in order. */
  readonly parts: readonly string[];
}

/** A pattern like `/p/:slug` and what it shows. */
export interface Route {
  readonly pattern: string;
  readonly show: (place: Place) => Page;
}
