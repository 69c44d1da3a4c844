// Who is signed in, and the orders of this browser. The e-mail address stays here; Selvedge gets an id made from it.

import { forgetUser, identify } from "./selvedge.js";
import { remember, remembered } from "./storage.js";

/** A person who signed in. */
export interface Customer {
  readonly id: string;
  readonly email: string;
}

/** An order, as the account page lists it. */
export interface Order {
  readonly number: string;
  readonly cents: number;
  readonly names: readonly string[];
}

const isCustomer = (value: unknown): value is Customer => typeof value === "object" && value !== null && "id" in value && "email" in value;
const isOrders = (value: unknown): value is readonly Order[] => Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null && "number" in one);

/** Who is signed in, if anyone. */
export function customer(): Customer | undefined {
  return remembered<Customer | undefined>("customer", undefined, (value): value is Customer => isCustomer(value));
}

/** Signs in with a member card of this tier: in this shop any address will do. */
export function signIn(email: string, tier: string): void {
  const id = `customer-${fingerprint(email.trim().toLowerCase())}`;
  remember("customer", { id, email });
  identify(id, { loyalty_tier: tier });
}

/** Signs out. */
export function signOut(): void {
  remember("customer", null);
  forgetUser();
}

/** The orders, newest first. */
export function orders(): readonly Order[] {
  return remembered("orders", [], isOrders);
}

/** Keeps an order. */
export function addOrder(order: Order): void {
  remember("orders", [order, ...orders()].slice(0, 20));
}

/** FNV-1a over the text's UTF-8, as 16 hexadecimal digits. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
