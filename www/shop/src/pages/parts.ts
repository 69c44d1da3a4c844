// Pieces that several pages share.

import { wishes } from "../bag.js";
import { price, type Palette, type Product } from "../catalog.js";
import { icon } from "../illustrations/scene.js";
import { html, trusted } from "../markup.js";

/** A product's picture in one of its colours. */
export function picture(item: Product, colour = 0) {
  const palette = item.colours[colour] ?? item.colours[0];
  return html`<svg class="picture" viewBox="0 0 400 300" role="img" aria-label="${item.name}${palette !== undefined && ` in ${palette.name}`}">${palette !== undefined && trusted(item.draw(palette))}</svg>`;
}

/** The products as a grid of cards. */
export function grid(items: readonly Product[]) {
  return html`<ul class="grid">${items.map((item, index) => html`<li>${card(item, index)}</li>`)}</ul>`;
}

function card(item: Product, index: number) {
  return html`<article class="card">
    <a class="card-link" href="/p/${item.slug}">
      <div class="tile tint-${index % 4}">${picture(item)}</div>
      <div class="card-text">
        <h2 class="card-name">${item.name}</h2>
        <p>${item.tagline}</p>
        <p class="card-foot"><strong>${price(item.cents)}</strong><span class="dots" aria-label="${item.colours.length} colours">${item.colours.map(dot)}</span></p>
      </div>
    </a>
    ${heart(item)}
  </article>`;
}

function dot(colours: Palette) {
  return html`<i class="dot" style="--dot:${colours.main}"></i>`;
}

/** The heart of a product; only putting it on the list is an event. */
export function heart(item: Product) {
  const isWished = wishes().includes(item.sku);
  const label = isWished ? `Take ${item.name} off the wishlist` : `Put ${item.name} on the wishlist`;
  const tracked = isWished ? null : html`data-selvedge-event="wishlist_add" data-selvedge-property-sku="${item.sku}" data-selvedge-property-category="${item.category}"`;
  return html`<button class="icon-button heart" type="button" data-action="wish" data-sku="${item.sku}" aria-pressed="${String(isWished)}" aria-label="${label}" ${tracked}>${trusted(icon("heart"))}</button>`;
}

/** The mean of a product's stars, drawn and read out. */
export function stars(item: Product) {
  const mean = item.reviews.reduce((sum, one) => sum + one.stars, 0) / Math.max(item.reviews.length, 1);
  return html`<span class="stars" style="--share:${Math.round(mean * 20)}%" role="img" aria-label="${mean.toFixed(1)} of 5 stars"></span>`;
}

/** The card where messages for the visitor stand. */
export function inbox() {
  return html`<section class="inbox" data-selvedge-visible="inbox" aria-labelledby="inbox-title">
    <h2 id="inbox-title">${trusted(icon("bell"))} Messages</h2>
    <p class="slot inbox-slot" data-selvedge-slot="inbox">Nothing new. We write when something of yours is on its way.</p>
  </section>`;
}

/** A page's empty state. */
export function nothing(title: string, text: string, link: { readonly href: string; readonly text: string }) {
  return html`<section class="empty"><h1>${title}</h1><p>${text}</p><a class="button primary" href="${link.href}">${link.text}</a></section>`;
}
