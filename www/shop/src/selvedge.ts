// The shop's only door to Selvedge. Calls made before the loader has run wait here, in memory, and follow in order.

import { euros, type Product } from "./catalog.js";

/** A property of an event. */
export type Property = string | number | boolean | readonly Properties[];

/** The properties of an event. */
export interface Properties {
  readonly [name: string]: Property;
}

/** The visitor's answer, by purpose. */
export interface Choice {
  readonly analytics: boolean;
  readonly personalization: boolean;
  readonly advertising: boolean;
}

/** The part of the page's API that the shop uses. */
export interface Selvedge {
  track(name: string, properties?: Properties): void;
  identify(userId: string, traits?: Properties): void;
  consent(choice: Choice): void;
  reset(): void;
}

declare global {
  interface Window {
    selvedge?: Selvedge;
  }
}

const CALLS_MAX = 200;
const waiting: ((selvedge: Selvedge) => void)[] = [];

/** Tells Selvedge what happened. */
export function track(name: string, properties: Properties = {}): void {
  call((selvedge) => selvedge.track(name, properties));
}

/** Tells Selvedge who the visitor is. */
export function identify(userId: string, traits: Properties): void {
  call((selvedge) => selvedge.identify(userId, traits));
}

/** Tells Selvedge what the visitor agreed to. */
export function tellConsent(choice: Choice): void {
  call((selvedge) => selvedge.consent(choice));
}

/** Makes Selvedge forget who the visitor is, as on signing out. */
export function forgetUser(): void {
  call((selvedge) => selvedge.reset());
}

/** The properties every product event carries. */
export function productProperties(item: Product): Properties {
  return { sku: item.sku, category: item.category, value: euros(item.cents), currency: "EUR" };
}

/** Lets waiting calls through as soon as the loader has run. Call it once. */
export function watchLoader(): void {
  document.querySelector("script[data-site]")?.addEventListener("load", drain, { once: true });
}

function call(action: (selvedge: Selvedge) => void): void {
  if (waiting.length < CALLS_MAX) waiting.push(action);
  drain();
}

function drain(): void {
  const selvedge = window.selvedge;
  if (selvedge === undefined) return;
  for (const action of waiting.splice(0)) action(selvedge);
}
