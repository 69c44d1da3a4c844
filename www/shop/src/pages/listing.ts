// The front page, the shelves and the search.

import { CATEGORIES, PRODUCTS, search, type Category, type Product } from "../catalog.js";
import { icon, landscape } from "../illustrations/scene.js";
import { html, render, trusted } from "../markup.js";
import type { Page, Place } from "../page.js";
import { track } from "../selvedge.js";
import { capital } from "../shell.js";
import { grid, nothing } from "./parts.js";

/** How a shelf is narrowed and ordered. */
interface Filter {
  readonly waterproof: boolean;
  readonly below: number;
  readonly order: string;
}

const SHELF_TEXT: Readonly<Record<Category, string>> = {
  shoes: "From the commute to the col. All resoled in our own workshop.",
  jackets: "Layers that pack small and can be patched.",
  packs: "Carry what you need, and sit on the rest.",
  accessories: "The small things that decide the day.",
};

/** The front page. */
export function home(): Page {
  return {
    title: "Shoes and gear for the long way round",
    body: html`${hero()}${promises()}${shelf("The collection", "Sixteen things, each with a reason.")}`,
    mounted: (root) => mountShelf(root, PRODUCTS),
    arrived: () => track("home"),
  };
}

/** One category. */
export function category(place: Place): Page {
  const name = CATEGORIES.find((known) => known === place.parts[0]);
  if (name === undefined) return lost(place);
  return {
    title: capital(name),
    body: shelf(capital(name), SHELF_TEXT[name], name),
    mounted: (root) => mountShelf(root, PRODUCTS.filter((item) => item.category === name)),
    arrived: () => track("catalog", { category: name }),
  };
}

/** The search. */
export function results(place: Place): Page {
  const query = (place.query.get("q") ?? "").slice(0, 80);
  const found = search(query);
  const arrived = (): void => { if (query !== "") track("search", { query, results: found.length }); };
  if (found.length === 0) {
    return { title: "Search", body: nothing(query === "" ? "What are you looking for?" : `Nothing for “${query}”`, "Try “trail”, “waterproof” or “wool”.", { href: "/", text: "See everything" }), arrived };
  }
  return {
    title: `Search: ${query}`,
    arrived,
    body: html`<section class="shelf"><header class="shelf-head"><div><h1>“${query}”</h1><p>${found.length} found</p></div></header>${grid(found)}</section>`,
  };
}

/** The page for an address that does not exist. */
export function lost({ path }: Place): Page {
  return {
    title: "Not found",
    body: nothing("Off the path", "This page does not exist, or not any more.", { href: "/", text: "Back to the trail head" }),
    arrived: () => track("error_page", { code: 404, path }),
  };
}

function hero() {
  return html`<section class="hero" aria-label="Highlight">
    ${trusted(landscape())}
    <div class="hero-words">
      <p class="eyebrow">Spring collection</p>
      <p class="slot hero-title" data-selvedge-slot="hero">Shoes and gear for the long way round</p>
      <p class="hero-text">Trail shoes, shells and packs that can be resoled, patched and handed on.</p>
      <p class="hero-actions"><a class="button primary" href="/c/shoes">See the shoes</a><a class="button glass" href="/promo/spring">Spring offers</a></p>
    </div>
  </section>`;
}

function promises() {
  return html`<ul class="promises" data-selvedge-visible="promises">
    <li>${trusted(icon("truck"))}<span><strong>Two days to your door</strong>Free from €120</span></li>
    <li>${trusted(icon("repair"))}<span><strong>Resoled, not replaced</strong>Our workshop, from €45</span></li>
    <li>${trusted(icon("leaf"))}<span><strong>No fluorine, no crude</strong>Every material on the label</span></li>
  </ul>`;
}

function shelf(title: string, text: string, current?: Category) {
  return html`<section class="shelf">
    <header class="shelf-head">
      <div><h1>${title}</h1><p>${text}</p></div>
      <form class="filters" data-form="filter" name="filter" data-category="${current ?? "all"}">
        <label class="chip"><input type="checkbox" name="waterproof" />Waterproof</label>
        <label class="chip"><input type="checkbox" name="below" value="15000" />Below €150</label>
        <label class="select"><span class="visually-hidden">Order</span><select name="order"><option value="ours">Our order</option><option value="cheap">Price, low first</option><option value="dear">Price, high first</option><option value="light">Name</option></select></label>
      </form>
    </header>
    <div data-part="grid"></div>
  </section>`;
}

function mountShelf(root: HTMLElement, items: readonly Product[]): void {
  const place = root.querySelector('[data-part="grid"]');
  const form = root.querySelector<HTMLFormElement>('[data-form="filter"]');
  if (place === null || form === null) return;
  render(place, grid(items));
  form.addEventListener("change", () => {
    const filter = readFilter(form);
    const left = narrowed(items, filter);
    render(place, left.length > 0 ? grid(left) : html`<p class="quiet-note">Nothing is left on this shelf. Take a filter off.</p>`);
    track("filter_results", { category: form.dataset["category"] ?? "all", waterproof: filter.waterproof, order: filter.order, results: left.length });
  });
}

function readFilter(form: HTMLFormElement): Filter {
  const data = new FormData(form);
  return { waterproof: data.has("waterproof"), below: Number(data.get("below") ?? Infinity), order: String(data.get("order")) };
}

const ORDERS: Readonly<Record<string, (left: Product, right: Product) => number>> = {
  cheap: (left, right) => left.cents - right.cents,
  dear: (left, right) => right.cents - left.cents,
  light: (left, right) => left.name.localeCompare(right.name),
};

function narrowed(items: readonly Product[], filter: Filter): readonly Product[] {
  const left = items.filter((item) => (!filter.waterproof || item.waterproof) && item.cents < filter.below);
  const order = ORDERS[filter.order];
  return order === undefined ? left : [...left].sort(order);
}
