// One product, its reviews, and products side by side.

import { compared } from "../bag.js";
import { price, product, productBySku, PRODUCTS, type Product } from "../catalog.js";
import { icon } from "../illustrations/scene.js";
import { html, render, trusted } from "../markup.js";
import type { Page, Place } from "../page.js";
import { productProperties, track } from "../selvedge.js";
import { capital } from "../shell.js";
import { lost } from "./listing.js";
import { grid, heart, nothing, picture, stars } from "./parts.js";

/** A product's page. */
export function detail(place: Place): Page {
  const item = product(place.parts[0] ?? "");
  if (item === undefined) return lost(place);
  return {
    title: item.name,
    body: html`${crumbs(item)}${buyBox(item)}${facts(item)}${related(item)}`,
    mounted: (root) => mountColours(root, item),
    arrived: () => track("product_view", productProperties(item)),
  };
}

/** A product's reviews. */
export function reviews(place: Place): Page {
  const item = product(place.parts[0] ?? "");
  if (item === undefined) return lost(place);
  return {
    arrived: () => track("review_page", { sku: item.sku, category: item.category }),
    title: `Reviews of ${item.name}`,
    body: html`${crumbs(item)}<section class="narrow"><h1>What people say of ${item.name}</h1><p class="rating">${stars(item)} ${item.reviews.length} ${item.reviews.length === 1 ? "review" : "reviews"}</p>
      <ul class="reviews">${item.reviews.map((one) => html`<li><blockquote>${one.text}</blockquote><p>${"★".repeat(one.stars)} ${one.author}</p></li>`)}</ul>
      <a class="button" href="/p/${item.slug}">Back to ${item.name}</a></section>`,
  };
}

/** The products chosen for comparison. */
export function comparison(): Page {
  const items = compared().flatMap((sku) => productBySku(sku) ?? []);
  const arrived = (): void => track("compare", { count: items.length });
  if (items.length === 0) return { title: "Compare", arrived, body: nothing("Nothing to compare yet", "Choose “Compare” on up to three products.", { href: "/c/shoes", text: "See the shoes" }) };
  const rows: readonly (readonly [string, (item: Product) => string])[] = [
    ["Price", (item) => price(item.cents)], ["Weight", (item) => item.weight], ["Waterproof", (item) => (item.waterproof ? "Yes" : "No")],
    ["Sizes", (item) => (item.sizes.length > 1 ? `${item.sizes[0]} to ${item.sizes.at(-1)}` : "One size")], ["Colours", (item) => item.colours.map((one) => one.name).join(", ")],
  ];
  return {
    title: "Compare",
    arrived,
    body: html`<section class="shelf"><header class="shelf-head"><div><h1>Side by side</h1></div></header><div class="scroll"><table class="compare">
      <thead><tr><td></td>${items.map((item, index) => html`<th scope="col"><a href="/p/${item.slug}"><div class="tile tint-${index % 4}">${picture(item)}</div>${item.name}</a></th>`)}</tr></thead>
      <tbody>${rows.map(([name, read]) => html`<tr><th scope="row">${name}</th>${items.map((item) => html`<td>${read(item)}</td>`)}</tr>`)}</tbody>
    </table></div></section>`,
  };
}

function crumbs(item: Product) {
  return html`<nav class="crumbs" aria-label="Where you are"><a href="/">All</a><span aria-hidden="true">/</span><a href="/c/${item.category}">${capital(item.category)}</a><span aria-hidden="true">/</span><a href="/p/${item.slug}" aria-current="page">${item.name}</a></nav>`;
}

function buyBox(item: Product) {
  return html`<article class="product">
    <div class="stage tint-${PRODUCTS.indexOf(item) % 4}" data-part="stage">${picture(item)}</div>
    <form class="buy" data-form="add-to-cart" name="add-to-cart" data-sku="${item.sku}">
      <h1>${item.name}</h1>
      <p class="lead">${item.tagline}</p>
      <p class="buy-price"><strong>${price(item.cents)}</strong><a class="rating" href="/p/${item.slug}/reviews">${stars(item)} ${item.reviews.length} ${item.reviews.length === 1 ? "review" : "reviews"}</a></p>
      <fieldset class="swatches"><legend>Colour: <span data-part="colour-name">${item.colours[0]?.name}</span></legend>
        ${item.colours.map((one, index) => html`<label title="${one.name}"><input type="radio" name="colour" value="${index}" aria-label="${one.name}" ${index === 0 && html`checked`} /><i class="dot large" style="--dot:${one.main}"></i></label>`)}</fieldset>
      ${sizes(item)}
      <div class="buy-actions"><button class="button primary wide" data-action="add-to-cart">Add to cart</button>${heart(item)}</div>
      <p class="buy-links"><button type="button" class="link" data-action="compare" data-sku="${item.sku}">${trusted(icon("compare"))} Compare</button><a href="/support">${trusted(icon("repair"))} Repairs and returns</a></p>
    </form>
  </article>`;
}

function sizes(item: Product) {
  const middle = Math.floor((item.sizes.length - 1) / 2);
  return html`<fieldset class="sizes"><legend>Size</legend>
    ${item.sizes.map((size, index) => html`<label class="chip"><input type="radio" name="size" value="${size}" ${index === middle && html`checked`} />${size}</label>`)}</fieldset>`;
}

function facts(item: Product) {
  const all = [...item.facts, ["Weight", item.weight] as const, ["Waterproof", item.waterproof ? "Yes" : "No"] as const];
  return html`<section class="about" data-selvedge-visible="about" data-selvedge-property-sku="${item.sku}"><div><h2>About it</h2><p>${item.description}</p></div><dl>${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

function related(item: Product) {
  const others = PRODUCTS.filter((other) => other.category === item.category && other !== item).slice(0, 4);
  return html`<section class="shelf"><header class="shelf-head"><div><h2>From the same shelf</h2></div></header>${grid(others)}</section>`;
}

function mountColours(root: HTMLElement, item: Product): void {
  root.querySelector(".swatches")?.addEventListener("change", (event) => {
    const index = Number((event.target as HTMLInputElement).value);
    const stage = root.querySelector('[data-part="stage"]');
    const name = root.querySelector('[data-part="colour-name"]');
    if (stage !== null) render(stage, picture(item, index));
    if (name !== null) name.textContent = item.colours[index]?.name ?? "";
  });
}
