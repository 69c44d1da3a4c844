// The cart, the wishlist and the list to compare: plain data with one listener each for the header's counts.

import { productBySku, type Product } from "./catalog.js";
import { remember, remembered } from "./storage.js";

/** One line of the cart. */
export interface Line {
  readonly sku: string;
  readonly size: string;
  readonly colour: number;
  readonly quantity: number;
}

/** The most pieces of one line. */
export const QUANTITY_MAX = 9;
/** Above this many cents shipping is free. */
export const FREE_SHIPPING_CENTS = 12000;
const SHIPPING_CENTS = 590;
const COMPARE_MAX = 3;

const isLine = (value: unknown): value is Line =>
  typeof value === "object" && value !== null && "sku" in value && "quantity" in value && typeof value.quantity === "number";
const isLines = (value: unknown): value is readonly Line[] => Array.isArray(value) && value.every(isLine);
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((text) => typeof text === "string");

const listeners = new Set<() => void>();

/** Calls `listener` after every change. */
export function onChange(listener: () => void): void {
  listeners.add(listener);
}

function keep(key: string, value: unknown): void {
  remember(key, value);
  for (const listener of listeners) listener();
}

/** The lines of the cart whose products still exist. */
export function lines(): readonly (Line & { readonly product: Product })[] {
  return stored().flatMap((line) => {
    const product = productBySku(line.sku);
    return product === undefined ? [] : [{ ...line, product }];
  });
}

function stored(): readonly Line[] {
  return remembered("cart", [], isLines);
}

/** Puts one more of a variant into the cart. */
export function add(sku: string, size: string, colour: number): void {
  const same = (line: Line): boolean => line.sku === sku && line.size === size && line.colour === colour;
  const known = stored().find(same);
  const quantity = Math.min((known?.quantity ?? 0) + 1, QUANTITY_MAX);
  keep("cart", [...stored().filter((line) => !same(line)), { sku, size, colour, quantity }]);
}

/** Sets how many of the line at `index` are wanted; 0 removes it. */
export function setQuantity(index: number, quantity: number): void {
  const bounded = Math.min(Math.max(Math.trunc(quantity) || 0, 0), QUANTITY_MAX);
  const changed = stored().map((line, at) => (at === index ? { ...line, quantity: bounded } : line));
  keep("cart", changed.filter((line) => line.quantity > 0));
}

/** Empties the cart. */
export function empty(): void {
  keep("cart", []);
}

/** How many pieces are in the cart. */
export function pieces(): number {
  return lines().reduce((sum, line) => sum + line.quantity, 0);
}

/** What the cart costs, in cents. */
export function totals(): { readonly goods: number; readonly shipping: number; readonly total: number } {
  const goods = lines().reduce((sum, line) => sum + line.quantity * line.product.cents, 0);
  const shipping = goods === 0 || goods >= FREE_SHIPPING_CENTS ? 0 : SHIPPING_CENTS;
  return { goods, shipping, total: goods + shipping };
}

/** The stock numbers on the wishlist. */
export function wishes(): readonly string[] {
  return remembered("wishlist", [], isTexts);
}

/** Puts a product on the wishlist, or takes it off. */
export function toggleWish(sku: string): void {
  keep("wishlist", toggled(wishes(), sku));
}

/** The stock numbers to compare, newest last. */
export function compared(): readonly string[] {
  return remembered("compare", [], isTexts);
}

/** Puts a product on the list to compare, or takes it off; the oldest leaves when there are too many. */
export function toggleCompared(sku: string): void {
  keep("compare", toggled(compared(), sku).slice(-COMPARE_MAX));
}

function toggled(list: readonly string[], text: string): readonly string[] {
  return list.includes(text) ? list.filter((other) => other !== text) : [...list, text];
}
