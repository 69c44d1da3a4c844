/** What the hands notice by themselves: clicks, links, route changes, the page going and coming back. */

/** Properties as they stand in the markup. */
type Texts = Record<string, string>;
/** What those of them are that are written as a number or a boolean. */
type Readings = Record<string, number | boolean>;

export type Sight = {
  click(name: string, properties: Texts, readings: Readings): void;
  link(url: string, text: string): void;
  /** What a rule shows in a slot was clicked, or put away. */
  act(name: string, slot: string): void;
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

export function clicked(target: EventTarget | null, sight: Pick<Sight, "click" | "link" | "act">): void {
  if (!(target instanceof Element)) return;
  const slot = target.closest<HTMLElement>("[data-selvedge-slot]")?.dataset["selvedgeSlot"];
  if (slot && target.closest("[data-selvedge-dismiss]")) sight.act("exposure_dismiss", slot);
  else if (slot && target.closest("a[href],button")) sight.act("exposure_click", slot);
  const marked = target.closest<HTMLElement>("[data-selvedge-event]");
  if (marked) {
    const properties = propertiesOf(marked.dataset);
    return sight.click(marked.dataset["selvedgeEvent"] ?? "", properties, readingsOf(properties));
  }
  const link = target.closest<HTMLAnchorElement>("a[href]");
  if (link) sight.link(link.href, (link.textContent ?? "").trim().slice(0, LINK_TEXT_LENGTH_MAX));
}

/** `data-selvedge-property-order-id="7"` is the property `order_id`. */
function propertiesOf(data: DOMStringMap): Texts {
  const properties: Texts = {};
  for (const [key, value = ""] of Object.entries(data)) {
    if (!key.startsWith(PROPERTY)) continue;
    properties[key.slice(PROPERTY.length).replace(/(?!^)[A-Z]/g, "_$&").toLowerCase()] = value;
  }
  return properties;
}

/** The tracking plan says whether `7` is a number or an article's. */
function readingsOf(properties: Texts): Readings {
  const readings: Readings = {};
  for (const [name, value] of Object.entries(properties)) {
    if (value === "true" || value === "false") readings[name] = value === "true";
    else if (`${+value}` === value && isFinite(+value)) readings[name] = +value;
  }
  return readings;
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
