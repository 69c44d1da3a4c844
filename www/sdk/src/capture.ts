/** What the hands notice by themselves: clicks, links, route changes, the page going and coming back. */

export type Sight = {
  click(name: string, properties: Record<string, string | number | boolean>): void;
  link(url: string, text: string): void;
  route(referrer: string, time: number): void;
  hidden(): void;
  awake(): void;
};

const PROPERTY = "selvedgeProperty";
const LINK_TEXT_LENGTH_MAX = 100;

export function watchPage(sight: Sight): void {
  addEventListener("click", (event) => clicked(event.target, sight), { capture: true, passive: true });
  watchRoutes(sight);
  const hide = (): void => {
    finishRoute();
    sight.hidden();
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? hide() : sight.awake()));
  addEventListener("pagehide", hide);
  addEventListener("online", () => sight.awake());
}

export function clicked(target: EventTarget | null, sight: Pick<Sight, "click" | "link">): void {
  if (!(target instanceof Element)) return;
  const marked = target.closest<HTMLElement>("[data-selvedge-event]");
  if (marked) return sight.click(marked.dataset["selvedgeEvent"] ?? "", propertiesOf(marked.dataset));
  const link = target.closest<HTMLAnchorElement>("a[href]");
  if (link) sight.link(link.href, (link.textContent ?? "").trim().slice(0, LINK_TEXT_LENGTH_MAX));
}

/** `data-selvedge-property-order-id="7"` is the property `order_id`: a number where it is written as one. */
function propertiesOf(data: DOMStringMap): Record<string, string | number | boolean> {
  const properties: Record<string, string | number | boolean> = {};
  for (const [key, value = ""] of Object.entries(data)) {
    if (!key.startsWith(PROPERTY)) continue;
    const name = key.slice(PROPERTY.length).replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
    properties[name] = value === "true" || value === "false" ? value === "true" : `${+value}` === value ? +value : value;
  }
  return properties;
}

let shown = location.href;
let route: Sight["route"] = () => {};
/** When the address changed, until its page view began. */
let changedAt = 0;
/** What was captured meanwhile: it belongs to the new page view. */
let waiting: (() => void)[] = [];

/** Single-page routes: the address changed without a load. The site's calls work as before, whatever happens here. */
function watchRoutes(sight: Sight): void {
  route = sight.route;
  const changed = (): void => {
    if (withoutHash(location.href) === withoutHash(shown) || changedAt) return;
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
    if (event.persisted) route(document.referrer, Date.now());
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
  shown = location.href;
  changedAt = 0;
  waiting = [];
  route(referrer, time);
  captures.forEach((capture) => capture());
}

function withoutHash(url: string): string {
  return url.split("#")[0] ?? url;
}
