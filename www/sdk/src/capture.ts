/** What the hands notice by themselves on every page: clicks, links, route changes, the page going and coming back. */
import { elementsOf, isPrivate, propertiesOf, readingsOf, textOf, type Readings, type Texts } from "./element";

export type Sight = {
  click(name: string, properties: Texts, readings: Readings): void;
  /** Something of a kind that the site may want. */
  notice(kind: string, name: string, properties: Texts): void;
  /** What a rule shows in a slot was clicked, or put away. */
  act(name: string, slot: string): void;
  route(referrer: string, time: number): void;
  hidden(): void;
  awake(): void;
};

const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|txt|rtf|ics|zip|rar|7z|t?gz|dmg|exe|msi|pkg|apk|mp[34]|mov|avi|wav)$/i;

export function watchPage(sight: Sight): void {
  addEventListener("click", (event) => clicked(event.composedPath(), sight), { capture: true, passive: true });
  watchRoutes(sight);
  const hide = (): void => {
    finishRoute();
    sight.hidden();
  };
  // At the window, behind all who still have something to say of the page that is hidden.
  addEventListener("visibilitychange", () => (document.hidden ? hide() : sight.awake()));
  addEventListener("pagehide", hide);
  addEventListener("online", () => sight.awake());
}

export function clicked(path: readonly EventTarget[], sight: Pick<Sight, "click" | "notice" | "act">): void {
  const elements = elementsOf(path);
  if (isPrivate(elements)) return;
  const find = (selector: string): HTMLElement | undefined => elements.find((element) => element.matches(selector));
  const slot = find("[data-selvedge-slot]")?.dataset["selvedgeSlot"];
  if (slot && find("[data-selvedge-dismiss]")) sight.act("exposure_dismiss", slot);
  else if (slot && find("a[href],button")) sight.act("exposure_click", slot);
  const marked = find("[data-selvedge-event]");
  if (marked) {
    const properties = propertiesOf(marked.dataset);
    return sight.click(marked.dataset["selvedgeEvent"] ?? "", properties, readingsOf(properties));
  }
  const element = find("a[href],button,[role=button],[type=submit]");
  if (element) pressed(element, sight);
}

/** A link leads to a file, away, or on; all else is a button. */
function pressed(element: HTMLElement, sight: Pick<Sight, "notice">): void {
  const text = textOf(element);
  const { protocol, host, pathname, href } = element as HTMLAnchorElement;
  if (protocol === undefined || protocol === "javascript:") {
    return sight.notice("clicks", "button_click", { name: element.id || (element as HTMLButtonElement).name || "", text });
  }
  const url = href.split(/[?#]/, 1)[0] ?? "";
  const [, extension = ""] = FILE.exec(pathname) ?? [];
  if (extension || element.hasAttribute("download")) {
    sight.notice("downloads", "file_download", { extension: extension.toLowerCase(), text, url });
  } else if (host && host !== location.host) sight.notice("outbound", "outbound_click", { text, url });
  else sight.notice("clicks", "link_click", { text, url });
}

/** What a site's config or its script tag says of routes. */
let routes: ReadonlyMap<string, string> = new Map();
let shown = location.href;
let route: Sight["route"] = () => {};
/** When the address changed, until its page view began. */
let changedAt = 0;
/** What was captured meanwhile: it belongs to the new page view. */
let waiting: (() => void)[] = [];
const turns: (() => void)[] = [];

/** Which route changes are page views: `routes=off` none, `hash` also those behind a `#/`. */
export function setRoutes(wanted: ReadonlyMap<string, string>): void {
  routes = wanted;
  shown = address();
}

/** The address of the page view: `/shop#/shoes` is `/shop/shoes` where routes stand behind a `#`. */
export function address(): string {
  return routes.has("hash") ? location.href.replace(/^([^?#]*?)\/?#!?(?=\/)/, "$1") : location.href;
}

/** Calls back when a page view is over and another begins. */
export function onTurn(callback: () => void): void {
  turns.push(callback);
}

const turn = (): void => turns.forEach((callback) => callback());

/** Single-page routes: the address changed without a load. The site's calls work as before, whatever happens here. */
function watchRoutes(sight: Sight): void {
  route = sight.route;
  const changed = (): void => {
    if (withoutHash(address()) === withoutHash(shown) || changedAt || routes.get("routes")) return;
    turn();
    changedAt = Date.now();
    // The site sets its title after the address; the page view waits for that.
    setTimeout(finishRoute);
  };
  for (const method of ["pushState", "replaceState"] as const) {
    const original = history[method];
    history[method] = function (...parameters) {
      original.apply(this, parameters);
      changed();
    };
  }
  addEventListener("popstate", changed);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    turn();
    route(document.referrer, Date.now());
  });
}

/** Captures now, or once the page view of a route that changed began. */
export function inOrder(capture: () => void): void {
  if (changedAt) waiting.push(capture);
  else capture();
}

/** Begins the page view of a route that changed. */
export function finishRoute(): void {
  if (!changedAt) return;
  const [referrer, time, captures] = [shown, changedAt, waiting];
  shown = address();
  changedAt = 0;
  waiting = [];
  route(referrer, time);
  captures.forEach((capture) => capture());
}

function withoutHash(url: string): string {
  return url.split("#")[0] ?? url;
}
