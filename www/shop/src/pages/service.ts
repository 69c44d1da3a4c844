// The account, the promotion, help, and what is said about privacy.

import { wishes } from "../bag.js";
import { price, PRODUCTS, productBySku } from "../catalog.js";
import { customer, orders } from "../customer.js";
import { icon, landscape } from "../illustrations/scene.js";
import { html, trusted } from "../markup.js";
import type { Page } from "../page.js";
import { track } from "../selvedge.js";
import { grid, inbox } from "./parts.js";

/** The account: who is signed in, messages, orders and the wishlist. */
export function account(): Page {
  const who = customer();
  const wished = wishes().flatMap((sku) => productBySku(sku) ?? []);
  return {
    title: "Account",
    arrived: () => track("account_page", { signed_in: who !== undefined }),
    body: html`<section class="two-columns"><div>
        <h1>${who === undefined ? "Your account" : "Good to see you"}</h1>
        ${who === undefined ? signInForm() : html`<p>Signed in as ${who.email}. <button type="button" class="link" data-action="sign-out">Sign out</button></p>`}
        <h2 class="gap">Orders</h2>
        ${orders().length === 0 ? html`<p class="quiet-note">No orders yet.</p>` : html`<ul class="orders">${orders().map((one) => html`<li><strong>${one.number}</strong><span>${one.names.join(", ")}</span><span>${price(one.cents)}</span></li>`)}</ul>`}
        <h2 class="gap">Wishlist</h2>
        ${wished.length === 0 ? html`<p class="quiet-note">Tap a heart, and it waits here.</p>` : grid(wished)}
      </div><aside class="side">${inbox()}</aside></section>`,
  };
}

/** The spring promotion. */
export function promotion(): Page {
  const chosen = ["NG-1001", "NG-2004", "NG-3001", "NG-4001"].flatMap((sku) => productBySku(sku) ?? []);
  return {
    title: "Spring offers",
    arrived: () => track("promo_page", { promo: "spring" }),
    body: html`<section class="hero short">${trusted(landscape())}<div class="hero-words"><p class="eyebrow">Until the end of May</p><h1 class="hero-title">Snow is gone. Out you go.</h1><p class="hero-text">Four things that get you from the last ski day to the first long run.</p></div></section>
      <section class="shelf"><header class="shelf-head"><div><h2>The spring four</h2><p>Bought together, the cap is on us.</p></div></header>${grid(chosen)}</section>`,
  };
}

const QUESTIONS = [
  ["How do I send shoes for resoling?", "Print the label from your account, put the shoes in any box, and drop it off. Nine working days, from €45."],
  ["May I walk in them before I decide?", "Yes, for sixty days, also outside. We sell the returned ones as second walk."],
  ["When will my order arrive?", "Orders before 14:00 leave the same day. Germany two days, the Nordics three."],
  ["Which size?", "Ours run true. Between two sizes take the larger for trail, the smaller for road."],
] as const;

/** Help. */
export function support(): Page {
  return {
    title: "Help and repairs",
    body: html`<section class="two-columns"><div><h1>How can we help?</h1>
        <div class="questions">${QUESTIONS.map(([question, text]) => html`<details><summary>${question}</summary><p>${text}</p></details>`)}</div></div>
      <aside class="side"><section class="summary chat" data-part="chat" data-selvedge-private><h2>${trusted(icon("chat"))} Talk to the workshop</h2>
        <p>Maja and Sindre answer, Monday to Friday.</p>
        <button type="button" class="button primary wide" data-action="chat" data-selvedge-event="support_chat" data-selvedge-property-topic="general">Start a chat</button></section></aside></section>`,
  };
}

/** What the shop says about privacy. */
export function privacyPage(): Page {
  return {
    title: "What we keep",
    body: html`<section class="narrow prose"><h1>What we keep</h1>
      <p>Without your permission: nothing on your device but your answer, your cart and your wishlist, and nothing of it leaves the page.</p>
      <p>With it: which of our ${PRODUCTS.length} products you looked at, what you searched for, and what you bought, under a random number and not under your name. It decides what the shop shows you, and ends when you say so.</p>
      <p>If your browser sends Global Privacy Control, advertising stays off whatever you click.</p>
      <button type="button" class="button primary" data-action="privacy">Privacy settings</button></section>`,
  };
}

function signInForm() {
  return html`<form class="form inline sign-in" data-form="sign-in" name="sign-in"><label class="field"><span>E-mail</span><input name="email" type="email" required autocomplete="email" placeholder="ada@example.org" maxlength="120" /></label>
      <label class="field"><span>Member card</span><select name="tier"><option value="none">None</option><option value="silver">Silver</option><option value="gold">Gold</option><option value="platinum">Platinum</option></select></label>
      <button class="button primary">Sign in</button></form>
    <p class="fine">Any address will do; none leaves this browser.</p>`;
}
