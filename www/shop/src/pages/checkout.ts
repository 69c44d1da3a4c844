// The cart and the way to an order. Nothing is charged, and no address leaves the page.

import { empty, FREE_SHIPPING_CENTS, lines, pieces, QUANTITY_MAX, totals } from "../bag.js";
import { euros, price } from "../catalog.js";
import { html, render } from "../markup.js";
import type { Page, Place } from "../page.js";
import { track, type Properties } from "../selvedge.js";
import { inbox, nothing, picture } from "./parts.js";
import { addOrder } from "../customer.js";

/** The cart. */
export function cart(): Page {
  return {
    title: "Cart",
    arrived: () => track("cart", { value: euros(totals().goods), currency: "EUR", pieces: pieces() }),
    body: html`<section class="two-columns"><div data-part="cart"></div><aside class="side"><div data-part="summary"></div>${inbox()}</aside></section>`,
    mounted: refreshCart,
  };
}

/** Writes the cart's lines and sums anew, and leaves the messages beside them alone. */
export function refreshCart(root: HTMLElement): void {
  const list = root.querySelector('[data-part="cart"]');
  const summary = root.querySelector('[data-part="summary"]');
  if (list === null || summary === null) return;
  const isEmpty = lines().length === 0;
  render(list, isEmpty ? nothing("Your cart is empty", "Shoes first. The rest follows.", { href: "/c/shoes", text: "See the shoes" }) : cartLines());
  render(summary, isEmpty ? html`` : html`<section class="summary">${sums()}<a class="button primary wide" href="/checkout">To checkout</a></section>`);
}

/** The first step: where to. */
export function shipping(): Page {
  if (lines().length === 0) return cart();
  return step("Shipping", 1, html`
    <form class="form" data-form="shipping" name="shipping">
      ${field("name", "Name", "name", "Ada Fjell")}
      ${field("email", "E-mail", "email", "ada@example.org", "email")}
      ${field("street", "Street and number", "street-address", "Stigveien 4")}
      <div class="form-row">${field("zip", "Postcode", "postal-code", "10115")}${field("city", "City", "address-level2", "Berlin")}</div>
      <label class="field"><span>Country</span><select name="country" autocomplete="country"><option value="DE">Germany</option><option value="AT">Austria</option><option value="NL">Netherlands</option><option value="NO">Norway</option><option value="SE">Sweden</option></select></label>
      <fieldset class="options"><legend>Delivery</legend>
        <label class="option"><input type="radio" name="method" value="standard" checked /><span><strong>Standard</strong><small>Two to three days</small></span></label>
        <label class="option"><input type="radio" name="method" value="pickup" /><span><strong>Pick-up point</strong><small>Two days, open late</small></span></label>
      </fieldset>
      <button class="button primary wide">Continue to payment</button>
    </form>`);
}

/** The second step: how to pay. */
export function payment(): Page {
  if (lines().length === 0) return cart();
  return step("Payment", 2, html`
    <form class="form" data-form="payment" name="payment">
      <p class="quiet-note">This shop is made up: use any number. One that ends in 0000 is declined.</p>
      <fieldset class="options"><legend>Method</legend>
        <label class="option"><input type="radio" name="method" value="card" checked /><span><strong>Card</strong><small>Visa, Mastercard</small></span></label>
        <label class="option"><input type="radio" name="method" value="invoice" /><span><strong>Invoice</strong><small>Fourteen days</small></span></label>
      </fieldset>
      ${field("card", "Card number", "off", "4242 4242 4242 4242")}
      <div class="form-row">${field("until", "Valid until", "off", "12/29")}${field("code", "Code", "off", "123")}</div>
      <p class="form-error" role="alert" data-part="error" hidden></p>
      <button class="button primary wide">Pay ${price(totals().total)}</button>
    </form>`);
}

/** The page after an order. */
export function done(place: Place): Page {
  return {
    title: "Thank you",
    body: html`<section class="two-columns"><div class="empty left"><p class="eyebrow">Order ${place.parts[0]}</p><h1>Thank you. It is on its way.</h1><p>We have packed it in paper, without a leaflet. Two days, and it is at your door.</p><a class="button primary" href="/account">See your order</a></div><aside class="side">${inbox()}</aside></section>`,
  };
}

/** Takes the shipping form. */
export function takeShipping(form: FormData): string {
  track("shipping_details", { method: String(form.get("method")), country: String(form.get("country")) });
  return "/checkout/payment";
}

/** Takes the payment form: gives back where to go, or nothing if the payment was declined. */
export function takePayment(form: FormData): string | undefined {
  const method = String(form.get("method"));
  track("payment_details", { method });
  if (method === "card" && String(form.get("card")).replace(/\s/g, "").endsWith("0000")) {
    track("payment_error", { method, reason: "declined" });
    return undefined;
  }
  const order = orderNumber();
  const items: Properties[] = lines().map((line) => ({ sku: line.sku, category: line.product.category, price: euros(line.product.cents), quantity: line.quantity }));
  track("purchase", { order_id: order, value: euros(totals().total), currency: "EUR", items });
  addOrder({ number: order, cents: totals().total, names: lines().map((line) => line.product.name) });
  empty();
  return `/checkout/done/${order}`;
}

function orderNumber(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `N${random.toString(36).toUpperCase().padStart(7, "0")}`;
}

function cartLines() {
  return html`<h1>Cart</h1><ul class="lines">${lines().map((line, index) => html`<li class="line">
    <a class="tile tint-${index % 4}" href="/p/${line.product.slug}" tabindex="-1" aria-hidden="true">${picture(line.product, line.colour)}</a>
    <div class="line-text"><a href="/p/${line.product.slug}"><strong>${line.product.name}</strong></a><p>${line.product.colours[line.colour]?.name}, ${line.size}</p>
      <div class="stepper"><button type="button" data-action="quantity" data-line="${index}" data-quantity="${line.quantity - 1}" aria-label="One ${line.product.name} less">−</button><span aria-live="polite">${line.quantity}</span><button type="button" data-action="quantity" data-line="${index}" data-quantity="${line.quantity + 1}" aria-label="One ${line.product.name} more" ${line.quantity >= QUANTITY_MAX && html`disabled`}>+</button></div></div>
    <div class="line-price"><strong>${price(line.product.cents * line.quantity)}</strong><button type="button" class="link" data-action="quantity" data-line="${index}" data-quantity="0">Remove</button></div>
  </li>`)}</ul>`;
}

function sums() {
  const { goods, shipping, total } = totals();
  const left = Math.max(FREE_SHIPPING_CENTS - goods, 0);
  return html`<h2>Summary</h2>
    <p class="to-free">${left > 0 ? `${price(left)} to free shipping` : "Shipping is free"}</p>
    <progress max="${FREE_SHIPPING_CENTS}" value="${Math.min(goods, FREE_SHIPPING_CENTS)}" aria-label="Way to free shipping"></progress>
    <dl class="sums"><div><dt>Goods</dt><dd>${price(goods)}</dd></div><div><dt>Shipping</dt><dd>${shipping === 0 ? "Free" : price(shipping)}</dd></div><div class="sum-total"><dt>Total, VAT included</dt><dd>${price(total)}</dd></div></dl>`;
}

function step(title: string, number: number, form: ReturnType<typeof html>): Page {
  return {
    title,
    body: html`<section class="two-columns"><div>
        <ol class="steps"><li ${number === 1 && html`aria-current="step"`}>Shipping</li><li ${number === 2 && html`aria-current="step"`}>Payment</li><li>Done</li></ol>
        <h1>${title}</h1>${form}
      </div><aside class="side"><section class="summary">${sums()}
        <ul class="mini">${lines().map((line) => html`<li><span>${line.quantity} × ${line.product.name}</span><span>${price(line.product.cents * line.quantity)}</span></li>`)}</ul></section>
        <p class="fine">Something odd? <button type="button" class="link" data-action="report" data-selvedge-event="checkout_bug" data-selvedge-property-step="${title.toLowerCase()}">Report a problem</button></p>
      </aside></section>`,
  };
}

function field(name: string, label: string, autocomplete: string, value: string, type = "text") {
  return html`<label class="field"><span>${label}</span><input name="${name}" type="${type}" autocomplete="${autocomplete}" placeholder="${value}" value="${value}" required maxlength="120" /></label>`;
}
