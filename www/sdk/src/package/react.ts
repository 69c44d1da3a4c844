"use client";
/**
 * Slots for React, rendered on the server or in the page.
 *
 * @packageDocumentation
 */
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
  type ElementType,
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
} from "react";
import { selvedge, start, type Modules, type StartOptions } from "./index";
import { nodesOf, propsOf, type Props } from "./nodes";
import { createStore, type Store } from "./store";
import { isHarmless } from "../markup";
import type { Content, Decision, Selvedge } from "../types";

export type { Modules, StartOptions, WasmSource } from "./index";
export type * from "../types";

/** What `<SelvedgeProvider>` takes: how the client begins, and what the server decided. */
export type SelvedgeProviderProps = StartOptions & Modules & {
  /** What `decide()` of `selvedge/server` gave for this page: the first render in the page is that of the server. */
  readonly decisions?: readonly Decision[];
  readonly children?: ReactNode;
};

const NONE: readonly Decision[] = [];
const StoreContext = createContext<Store | undefined>(undefined);

/** Begins the client once the page stands, and gives slots below their decisions. */
export function SelvedgeProvider({ decisions = NONE, children, ...options }: SelvedgeProviderProps): ReactElement {
  const [store] = useState(() => createStore(decisions));
  const [began] = useState(options);
  useEffect(() => {
    start(began);
    return store.listen();
  }, [store, began]);
  return createElement(StoreContext.Provider, { value: store }, children);
}

/** The client. On a server its calls do nothing. */
export function useSelvedge(): Selvedge {
  return selvedge;
}

/** What stands in a slot; undefined while nothing is known of it. */
export function useDecision(slot: string): Decision | undefined {
  const store = useContext(StoreContext);
  return useSyncExternalStore(
    store?.subscribe ?? never,
    () => store?.now(slot),
    () => store?.first(slot),
  );
}

/** What `<Slot>` takes; other attributes go to its element. */
export type SlotProps = Omit<HTMLAttributes<HTMLElement>, "children"> & {
  /** The slot's name. */
  readonly name: string;
  /** The element that is the slot; left out: `div`. */
  readonly as?: ElementType;
  /** What stands there where no content is decided; or what to make of a decision, where the page renders contents itself. */
  readonly children?: ReactNode | ((decision: Decision | undefined) => ReactNode);
};

/** An element that shows what is decided for a slot. That it was seen is recorded, as for any slot. */
export function Slot({ name, as = "div", children, ...rest }: SlotProps): ReactElement {
  const decision = useDecision(name);
  const content = decision?.content ?? undefined;
  const isOwn = typeof children === "function";
  const { props, body } = isOwn ? { props: {}, body: children(decision) } : shown(content, children);
  const marks = { "data-selvedge-slot": name, "data-selvedge-own": "", "data-selvedge-content": content?.id };
  return createElement(as, { ...rest, ...props, ...marks }, body);
}

/** Props and inside of the slot's element for a content. */
function shown(content: Content | undefined, fallback: ReactNode): { props: Props; body: ReactNode } {
  if (content?.type === "attributes") return { props: propsOf(Object.entries(content.fields)), body: fallback };
  return { props: {}, body: content ? (bodyOf(content) ?? fallback) : fallback };
}

function bodyOf({ type, fields }: Content): ReactNode {
  const { text, html = "", href = "", src = "", alt = "" } = fields;
  if (type === "text") return text;
  if (type === "html") return nodesOf(html);
  if (type === "link") return link(href, text);
  if (type !== "image") return undefined;
  const image = createElement("img", { alt, src: isHarmless("src", src) ? src : undefined });
  return href ? link(href, image) : image;
}

function link(href: string, inside: ReactNode): ReactElement {
  return createElement("a", { href: isHarmless("href", href) ? href : undefined }, inside);
}

function never(): () => void {
  return () => {};
}
