// The shop without a browser: what it sells, what it writes into pages, what it keeps, and what it tells Selvedge.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./bundle.mjs";

const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
globalThis.window = globalThis;

const catalog = await load("catalog.ts");
const { html, trusted } = await load("markup.ts");
const { match } = await load("router.ts");

beforeEach(() => {
  kept.clear();
  delete globalThis.selvedge;
});

test("every product has its own slug and stock number, a price, a picture and a size", () => {
  const { PRODUCTS, CATEGORIES } = catalog;
  assert.equal(new Set(PRODUCTS.map((item) => item.slug)).size, PRODUCTS.length);
  assert.equal(new Set(PRODUCTS.map((item) => item.sku)).size, PRODUCTS.length);
  for (const item of PRODUCTS) {
    assert.ok(CATEGORIES.includes(item.category) && Number.isInteger(item.cents) && item.cents > 0 && item.sizes.length > 0, item.sku);
    for (const colours of item.colours) assert.doesNotMatch(item.draw(colours), /undefined|NaN|https?:/, item.sku);
  }
});

test("the search wants every word, and finds nothing for nothing", () => {
  assert.ok(catalog.search("trail runner").some((item) => item.sku === "NG-1001"));
  assert.equal(catalog.search("trail unicorn").length, 0);
  assert.equal(catalog.search("  ").length, 0);
});

test("prices read as euros, and events carry euros", () => {
  assert.equal(catalog.price(14900), "€149.00");
  assert.equal(catalog.euros(590), 5.9);
});

test("what a visitor types is never markup", () => {
  const typed = `<img src=x onerror="alert('1')">&`;
  const { text } = html`<p title="${typed}">${typed}${[typed, null, false, 0]}</p>`;
  assert.doesNotMatch(text, /<img/);
  assert.ok(text.includes("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"));
  assert.ok(text.endsWith("0</p>"));
  assert.equal(html`${trusted("<b>")}`.text, "<b>");
});

test("an address fits its pattern, part by part", () => {
  assert.deepEqual(match("/p/:slug/reviews", "/p/varde-boot/reviews"), ["varde-boot"]);
  assert.deepEqual(match("/c/:category", "/c/a%20b"), ["a b"]);
  assert.deepEqual(match("/c/:category", "/c/%E0%A4%A"), ["%E0%A4%A"]);
  assert.equal(match("/p/:slug", "/p/varde-boot/reviews"), undefined);
  assert.deepEqual(match("/", "/"), []);
});

test("nothing is written to the device before the privacy question is answered", async () => {
  const { remember, remembered } = await load("storage.ts");
  const isNumber = (value) => typeof value === "number";
  remember("cart", 3);
  assert.equal(kept.size, 0);
  assert.equal(remembered("cart", 0, isNumber), 3);
  remember("privacy", { analytics: false, personalization: false, advertising: false });
  assert.deepEqual([...kept.keys()].sort(), ["nordgang.cart", "nordgang.privacy"]);
});

test("what was written by something else is not believed", async () => {
  const { lines } = await load("bag.ts");
  for (const text of ["{", "[1]", "{}", '[{"sku":"nothing","quantity":1}]', "null"]) {
    kept.set("nordgang.cart", text);
    assert.deepEqual(lines(), [], text);
  }
});

test("the cart adds, is bounded, and knows when shipping is free", async () => {
  const bag = await load("bag.ts");
  bag.add("NG-4001", "One size", 0);
  assert.deepEqual(bag.totals(), { goods: 3400, shipping: 590, total: 3990 });
  for (let count = 0; count < 20; count++) bag.add("NG-4001", "One size", 0);
  assert.equal(bag.pieces(), bag.QUANTITY_MAX);
  assert.equal(bag.totals().shipping, 0);
  bag.setQuantity(0, Number.NaN);
  assert.equal(bag.pieces(), 0);
  assert.equal(bag.totals().total, 0);
});

test("calls made before the loader has run follow in order", async () => {
  const { track, tellConsent } = await load("selvedge.ts");
  const heard = [];
  track("home");
  tellConsent({ analytics: true, personalization: false, advertising: false });
  globalThis.selvedge = {
    track: (name, properties) => heard.push([name, properties]),
    consent: (choice) => heard.push(["consent", choice.analytics]),
  };
  track("cart", { pieces: 1 });
  assert.deepEqual(heard, [["home", {}], ["consent", true], ["cart", { pieces: 1 }]]);
});
