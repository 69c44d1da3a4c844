/** Trade in the field's terms: what is left out of a sale and follows from its items. */
import type { Properties, Value } from "./types";

/** The same, with the value of its items where only the currency is said. */
export function priced(sale: Properties): Properties {
  const { currency, value, items } = sale as { currency?: Value; value?: Value; items?: readonly Item[] };
  if (!currency || value !== undefined || !Array.isArray(items)) return sale;
  const sum = (items as readonly Item[]).reduce((sum, { price = 0, quantity = 1 }) => sum + +price * +quantity, 0);
  return { ...sale, value: Math.round(sum * 1e4) / 1e4 };
}

type Item = { readonly price?: number; readonly quantity?: number };
