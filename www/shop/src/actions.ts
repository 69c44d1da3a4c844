// What buttons and forms do: one entry per `data-action` and per `data-form`.

import * as bag from "./bag.js";
import { productBySku } from "./catalog.js";
import { signIn, signOut } from "./customer.js";
import { html, render } from "./markup.js";
import { refreshCart, takePayment, takeShipping } from "./pages/checkout.js";
import { heart } from "./pages/parts.js";
import { ask } from "./privacy.js";
import { productProperties, track } from "./selvedge.js";
import { notify } from "./shell.js";

type Go = (address: string) => void;

/** Listens for presses and forms in the whole document. `go` changes the page. */
export function listen(main: HTMLElement, go: Go): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-action]") : null;
    if (button !== null) press(button, main, go);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset["form"] === undefined) return;
    event.preventDefault();
    submit(form, go);
  });
}

function press(button: HTMLElement, main: HTMLElement, go: Go): void {
  const { action, sku = "", line, quantity } = button.dataset;
  switch (action) {
    case "wish":
      return wish(button, sku);
    case "compare":
      bag.toggleCompared(sku);
      return bag.compared().includes(sku) ? notify("On the list to compare.", { href: "/compare", text: "Compare" }) : notify("Off the list.");
    case "quantity":
      bag.setQuantity(Number(line), Number(quantity));
      return refreshCart(main);
    case "privacy":
      return ask(true);
    case "sign-out":
      signOut();
      return go("/account");
    case "report":
      return notify("Thank you. The workshop has been told.");
    case "chat":
      return chat(main);
  }
}

function wish(button: HTMLElement, sku: string): void {
  const item = productBySku(sku);
  if (item === undefined) return;
  bag.toggleWish(sku);
  const holder = document.createElement("div");
  render(holder, heart(item));
  const fresh = holder.firstElementChild;
  if (fresh instanceof HTMLElement) {
    button.replaceWith(fresh);
    fresh.focus();
  }
}

function submit(form: HTMLFormElement, go: Go): void {
  const data = new FormData(form);
  switch (form.dataset["form"]) {
    case "search":
      return go(`/search?q=${encodeURIComponent(String(data.get("q")).trim())}`);
    case "add-to-cart":
      return addToCart(form.dataset["sku"] ?? "", String(data.get("size")), Number(data.get("colour")));
    case "shipping":
      return go(takeShipping(data));
    case "payment":
      return pay(form, data, go);
    case "sign-in":
      signIn(String(data.get("email")), String(data.get("tier")));
      return go("/account");
    case "newsletter":
      track("newsletter_signup", { place: "footer" });
      form.reset();
      return notify("Thank you. The next notes come on Sunday.");
    case "chat":
      return say(form, String(data.get("text")));
  }
}

function addToCart(sku: string, size: string, colour: number): void {
  const item = productBySku(sku);
  if (item === undefined) return;
  bag.add(sku, size, colour);
  track("add_to_cart", { ...productProperties(item), quantity: 1 });
  notify(`${item.name} is in your cart.`, { href: "/cart", text: "See the cart" });
}

function pay(form: HTMLFormElement, data: FormData, go: Go): void {
  const next = takePayment(data);
  if (next !== undefined) return go(next);
  const error = form.querySelector<HTMLElement>('[data-part="error"]');
  if (error === null) return;
  error.textContent = "The card was declined. Try another number, or pay by invoice.";
  error.hidden = false;
}

function chat(main: HTMLElement): void {
  const place = main.querySelector('[data-part="chat"]');
  if (place === null) return;
  render(place, html`<h2>The workshop</h2><div class="bubbles" data-part="bubbles" role="log"><p class="bubble">Hei, this is Maja. Which shoe is it about?</p></div>
    <form class="form inline" data-form="chat" name="chat"><label class="field"><span class="visually-hidden">Your message</span><input name="text" required maxlength="300" placeholder="Write a message" autocomplete="off" /></label><button class="button primary">Send</button></form>`);
  place.querySelector("input")?.focus();
}

function say(form: HTMLFormElement, text: string): void {
  const bubbles = form.parentElement?.querySelector('[data-part="bubbles"]');
  if (!bubbles) return;
  const [mine, answer] = [document.createElement("p"), document.createElement("p")];
  mine.className = "bubble mine";
  mine.textContent = text;
  answer.className = "bubble";
  answer.textContent = "Thank you. We look at it and write to you today.";
  bubbles.append(mine, answer);
  form.reset();
}
