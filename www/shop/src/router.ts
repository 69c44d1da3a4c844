// Paths to pages, with the History API. Links inside the shop never reload the document.

import { render } from "./markup.js";
import type { Page, Place, Route } from "./page.js";

/** Shows pages in one element and follows the address. */
export class Router {
  constructor(
    private readonly root: HTMLElement,
    private readonly routes: readonly Route[],
    private readonly missing: (place: Place) => Page,
    private readonly shown: (place: Place) => void,
  ) {}

  /** Shows the current address and begins to follow links and the back button. */
  start(): void {
    history.scrollRestoration = "manual";
    document.addEventListener("click", (event) => this.follow(event));
    addEventListener("popstate", () => this.show(scrollOf(history.state)));
    this.show(0);
  }

  /** Goes to an address of the shop. */
  go(address: string): void {
    const isHere = new URL(address, location.href).href === location.href;
    history.replaceState({ scroll: isHere ? 0 : scrollY }, "");
    if (!isHere) history.pushState({ scroll: 0 }, "", address);
    this.show(0);
    this.root.focus({ preventScroll: true });
  }

  private show(scroll: number): void {
    const place = this.place();
    const page = this.page(place);
    document.title = `${page.title} · Nordgang`;
    render(this.root, page.body);
    page.mounted?.(this.root);
    scrollTo({ top: scroll, behavior: "instant" });
    page.arrived?.();
    this.shown(place);
  }

  private place(): Place {
    const path = location.pathname.replace(/(.)\/+$/, "$1");
    return { path, query: new URLSearchParams(location.search), parts: [] };
  }

  private page(place: Place): Page {
    for (const route of this.routes) {
      const parts = match(route.pattern, place.path);
      if (parts !== undefined) return route.show({ ...place, parts });
    }
    return this.missing(place);
  }

  private follow(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || isForTheBrowser(event, link)) return;
    event.preventDefault();
    if (link.href !== location.href) this.go(link.pathname + link.search);
  }
}

const OUTSIDE = /^\/(console|v1|s|selvedge|metrics|health)(\/|$)/;

function isForTheBrowser(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const wantsNewTab = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  const isElsewhere = link.origin !== location.origin || OUTSIDE.test(link.pathname) || link.target !== "";
  const isFragment = link.hash !== "" && link.pathname === location.pathname;
  return event.defaultPrevented || wantsNewTab || isElsewhere || isFragment || link.hasAttribute("download");
}

/** What the open parts of `pattern` are in `path`; nothing where it does not fit. */
export function match(pattern: string, path: string): readonly string[] | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const parts: string[] = [];
  for (const [index, piece] of wanted.entries()) {
    const found = given[index] ?? "";
    if (piece.startsWith(":")) parts.push(decoded(found));
    else if (piece !== found) return undefined;
  }
  return parts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function scrollOf(state: unknown): number {
  const scroll = typeof state === "object" && state !== null && "scroll" in state ? state.scroll : 0;
  return typeof scroll === "number" ? scroll : 0;
}
