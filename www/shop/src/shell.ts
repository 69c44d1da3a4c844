// What stands around every page: header, banner, footer, the modal's frame, the privacy panel and short notices.

import { pieces } from "./bag.js";
import { CATEGORIES } from "./catalog.js";
import { icon, mark } from "./illustrations/scene.js";
import { html, render, trusted } from "./markup.js";

/** Puts the shell up and gives back the element for pages. */
export function raiseShell(): HTMLElement {
  const shell = document.querySelector("#shell");
  if (shell === null) throw new Error("index.html has no #shell");
  render(shell, html`${header()}
    <div class="banner" role="region" aria-label="News">
      <p class="slot banner-slot" data-selvedge-slot="banner">Free shipping from €120. Sixty days to walk them in.</p>
    </div>
    <main id="main" tabindex="-1"></main>
    ${footer()}
    <dialog class="modal" id="modal" aria-label="A message from Nordgang">
      <form method="dialog"><button class="icon-button" aria-label="Close">${trusted(icon("close"))}</button></form>
      <div class="slot modal-slot" data-selvedge-slot="modal"></div>
    </dialog>
    <aside id="privacy" hidden aria-label="Privacy"></aside>
    <div id="notice" role="status" aria-live="polite"></div>`);
  watchModal();
  const main = document.querySelector<HTMLElement>("#main");
  if (main === null) throw new Error("the shell has no #main");
  return main;
}

function header() {
  return html`<header class="header">
    <a class="brand" href="/" aria-label="Nordgang, home">${trusted(mark())}<span>Nordgang</span></a>
    <nav class="shelves" aria-label="Categories">
      ${CATEGORIES.map((category) => html`<a href="/c/${category}">${category}</a>`)}
      <a class="promo-link" href="/promo/spring">spring</a>
    </nav>
    <form class="search" role="search" data-form="search" name="search" action="/search">
      ${trusted(icon("search"))}
      <input type="search" name="q" placeholder="Search" aria-label="Search the shop" maxlength="80" autocomplete="off" />
    </form>
    <div class="tools">
      <a class="icon-button" href="/account" aria-label="Account">${trusted(icon("person"))}</a>
      <a class="icon-button" href="/cart" aria-label="Cart" data-part="cart-link">${trusted(icon("bag"))}<span class="count" data-part="cart-count" hidden></span></a>
    </div>
  </header>`;
}

function footer() {
  return html`<footer class="footer">
    <div class="footer-grid">
      <div><p class="brand">${trusted(mark())}<span>Nordgang</span></p><p>Shoes and gear for the long way round. Made to be repaired, in Porto, Bergamo and Voss.</p>
        <form class="newsletter" data-form="newsletter" name="newsletter"><input name="email" type="email" required maxlength="120" autocomplete="email" placeholder="Trail notes by e-mail" aria-label="E-mail address for the trail notes" /><button class="button">Sign up</button></form></div>
      <nav aria-label="Shop"><h2>Shop</h2>${CATEGORIES.map((category) => html`<a href="/c/${category}">${capital(category)}</a>`)}<a href="/compare">Compare</a></nav>
      <nav aria-label="Service"><h2>Service</h2><a href="/support">Help and repairs</a><a href="/account">Account</a><a href="/promo/spring">Spring offers</a></nav>
      <nav aria-label="Privacy"><h2>Privacy</h2><a href="/privacy">What we keep</a><button type="button" class="link" data-action="privacy">Privacy settings</button></nav>
    </div>
    <p class="fine">Nordgang is a made-up shop: nothing is charged, nothing is shipped. It shows what <a href="/console/">Selvedge</a> does.</p>
  </footer>`;
}

/** The word with a capital letter. */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Marks the current shelf and shows how much is in the cart. */
export function updateShell(): void {
  const count = document.querySelector<HTMLElement>('[data-part="cart-count"]');
  const number = pieces();
  if (count !== null) {
    count.hidden = number === 0;
    count.textContent = String(number);
  }
  document.querySelector('[data-part="cart-link"]')?.setAttribute("aria-label", number === 0 ? "Cart, empty" : `Cart, ${number} in it`);
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".shelves a, .tools a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows a short notice at the foot of the window, for a moment. */
export function notify(text: string, link?: { readonly href: string; readonly text: string }): void {
  const notice = document.querySelector("#notice");
  if (notice === null) return;
  render(notice, html`<p class="notice">${trusted(icon("check"))}<span>${text}</span>${link !== undefined && html`<a href="${link.href}">${link.text}</a>`}</p>`);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => notice.replaceChildren(), 5000);
}

/** Takes the notice away, as on the way to another page. */
export function hush(): void {
  clearTimeout(noticeTimer);
  document.querySelector("#notice")?.replaceChildren();
}

/** The modal is open exactly while its slot holds something and the visitor has not closed that. */
function watchModal(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#modal");
  const slot = dialog?.querySelector<HTMLElement>(".modal-slot");
  if (!dialog || !slot) return;
  let closed = "";
  dialog.addEventListener("close", () => { closed = slot.innerHTML; });
  dialog.addEventListener("click", ({ target }) => {
    // Beside it, or on a link that leads on: the next page is not to stand behind it.
    if (target === dialog || (target instanceof Element && target.closest("a[href]"))) dialog.close();
  });
  const follow = (): void => {
    const isFilled = slot.childElementCount > 0 || slot.textContent?.trim() !== "";
    if (!isFilled && dialog.open) dialog.close();
    if (isFilled && !dialog.open && slot.innerHTML !== closed) dialog.showModal();
  };
  new MutationObserver(follow).observe(slot, { childList: true, characterData: true, subtree: true });
}
