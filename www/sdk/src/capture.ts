/** What the hands notice by themselves: clicks, links, route changes, the page going and coming back. */

export type Sight = {
  click(name: string, properties: Record<string, string | number | boolean>): void;
  link(url: string, text: string): void;
  route(referrer: string): void;
  hidden(): void;
  awake(): void;
};

const PROPERTY = "selvedgeProperty";
const LINK_TEXT_LENGTH_MAX = 100;

export function watchPage(sight: Sight): void {
  addEventListener("click", (event) => clicked(event.target, sight), { capture: true, passive: true });
  watchRoutes(sight);
  document.addEventListener("visibilitychange", () => (document.hidden ? sight.hidden() : sight.awake()));
  addEventListener("pagehide", () => sight.hidden());
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
let pending: ((referrer: string) => void) | undefined;

/** Single-page routes: the address changed without a load. The site's calls work as before, whatever happens here. */
function watchRoutes(sight: Sight): void {
  const changed = (): void => {
    pending = sight.route;
    // The site sets its title after the address; the page view waits for that, or for the first event of the new page.
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
    if (event.persisted) sight.route(document.referrer);
  });
}

/** Begins the page view of a route that changed: what is captured from now on belongs to it. */
export function finishRoute(): void {
  const route = pending;
  const referrer = shown;
  pending = undefined;
  shown = location.href;
  if (route && withoutHash(shown) !== withoutHash(referrer)) route(referrer);
}

function withoutHash(url: string): string {
  return url.split("#")[0] ?? url;
}
