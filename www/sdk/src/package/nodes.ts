/** Contents as React's nodes, the same on a server and in the page, and without a way to put text in as markup. */
import { createElement, Fragment, type ReactNode } from "react";
import { allowed, readMarkup, type Attributes } from "../markup";

/** Attributes that React has another name for. */
const PROPS: { readonly [attribute: string]: string } = {
  class: "className",
  colspan: "colSpan",
  rowspan: "rowSpan",
  datetime: "dateTime",
  hreflang: "hrefLang",
};

export type Props = { readonly [prop: string]: string };

/** The nodes of a markup; undefined where it is none that may be shown. */
export function nodesOf(html: string): ReactNode {
  const nodes = readMarkup<ReactNode>(html, (name, attributes, inside) => createElement(name, propsOf(attributes), ...inside));
  return nodes && createElement(Fragment, null, ...nodes);
}

/** Attributes as React's props: those of the list that lead to no code. */
export function propsOf(attributes: Attributes): Props {
  return Object.fromEntries(allowed(attributes).map(([name, value]) => [PROPS[name] ?? name, value]));
}
