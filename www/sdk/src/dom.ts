/**
 * The one file that writes to the page. An element gets what a decision says, and a few times more where a framework renders
 * over it; nothing is hidden, and nothing is fought over. The fallback gives back what stood there, as the site would have it now.
 */
import type { Selectors } from "./decisions";
import { isActive, isHarmless, readMarkup, type Attributes } from "./markup";
import type { Content, Decision } from "./types";

const SLOT = "data-selvedge-slot";
const MARK = "data-selvedge-content";
/** The site shows the decision itself. */
const OWN = "data-selvedge-own";
/** How often one decision is written into one element after the first time. */
const AGAIN_MAX = 5;
/** What the site has in an element that shows a decision: its nodes, and values of attributes. */
type Original = { nodes: Node[]; attributes: Map<string, string | null> };
/** What an element shows: our nodes (none where only attributes are ours), and how often it was written again. */
type Shown = {
  decision: Decision;
  nodes: readonly Node[] | undefined;
  /** Where one text is all that we wrote: frameworks write into it. */
  text: string | undefined;
  attributes: Map<string, string>;
  again: number;
};

const originals = new WeakMap<Element, Original>();
const applied = new WeakMap<Element, Shown>();

/** Elements that are a slot without a mark. */
let selectors: Selectors = [];

export function findSlotsBy(found: Selectors): void {
  selectors = found;
}

/** Marks the elements that selectors find, unless the site marked them itself. */
function mark(): void {
  for (const [slot, selector] of selectors) {
    try {
      for (const element of document.querySelectorAll(selector)) {
        if (!element.hasAttribute(SLOT)) element.setAttribute(SLOT, slot);
      }
    } catch {
      // Not a selector of this browser.
    }
  }
}

export function slotElements(slot?: string): HTMLElement[] {
  mark();
  const selector = slot === undefined ? `[${SLOT}]` : `[${SLOT}="${CSS.escape(slot)}"]`;
  return [...document.querySelectorAll<HTMLElement>(selector)];
}

export function slotOf(element: Element): string {
  return element.getAttribute(SLOT) ?? "";
}

/** Shows `decision` in an element of its slot, unless it stands there. True where the element changed. */
export function apply(element: HTMLElement, decision: Decision): boolean {
  const before = applied.get(element);
  const isSame = before?.decision === decision;
  if (isActive(element.localName)) return false;
  if (isSame && (stands(element, before) || before.again >= AGAIN_MAX)) return false;
  const changes = originals.has(element) || decision.content !== null;
  const again = isSame ? before.again + 1 : 0;
  const shown: Shown = { decision, nodes: undefined, text: undefined, attributes: new Map(), again };
  if (before) restore(element, before);
  applied.set(element, shown);
  if (element.hasAttribute(OWN)) return !isSame;
  if (decision.content) {
    const nodes = [...element.childNodes];
    originals.set(element, { nodes, attributes: new Map() });
    share(element);
    fill(element, decision.content, shown);
    if (!sameNodes(nodes, element)) shown.nodes = [...element.childNodes];
    shown.text = textOf(shown);
    set(element, MARK, decision.content.id);
  }
  return changes;
}

function textOf({ nodes }: Shown): string | undefined {
  return nodes?.length === 1 && nodes[0] instanceof Text ? nodes[0].data : undefined;
}

/** Whether what we wrote is still there. */
function stands(element: Element, shown: Shown): boolean {
  const { nodes, attributes } = shown;
  if (nodes && (!sameNodes(nodes, element) || textOf(shown) !== shown.text)) return false;
  for (const [name, value] of attributes) if (element.getAttribute(name) !== value) return false;
  return true;
}

/** Gives back what stood there before, but what the site has written over ours since: that is the newer. */
function restore(element: Element, shown: Shown): void {
  const original = originals.get(element);
  if (!original) return;
  originals.delete(element);
  for (const [name, value] of original.attributes) {
    if (element.getAttribute(name) !== shown.attributes.get(name)) continue;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  const { nodes } = shown;
  if (!nodes || textOf(shown) !== shown.text) return;
  const added = [...element.childNodes].filter((node) => !nodes.includes(node));
  const isReplaced = nodes.length > 0 && added.length === element.childNodes.length;
  if (!isReplaced) element.replaceChildren(...original.nodes, ...added);
}

/**
 * A framework takes its nodes out of the element again, and puts others before them, though ours stand there: then that is
 * done to what is kept, instead of failing, which would end the site's page.
 */
function share(element: Element): void {
  if (Object.hasOwn(element, "removeChild")) return;
  const keptBy = (child: Node | null): Node[] | undefined => {
    const { nodes } = originals.get(element) ?? {};
    return child && child.parentNode !== element && nodes?.includes(child) ? nodes : undefined;
  };
  const { removeChild, insertBefore } = element;
  element.removeChild = function <Child extends Node>(child: Child): Child {
    const kept = keptBy(child);
    if (!kept) return removeChild.call(element, child) as Child;
    kept.splice(kept.indexOf(child), 1);
    return child;
  };
  element.insertBefore = function <Child extends Node>(child: Child, before: Node | null): Child {
    const kept = keptBy(before);
    if (!kept || !before) return insertBefore.call(element, child, before) as Child;
    kept.splice(kept.indexOf(before), 0, child);
    return child;
  };
}

function sameNodes(nodes: readonly Node[], element: Element): boolean {
  return nodes.length === element.childNodes.length && nodes.every((node, at) => element.childNodes[at] === node);
}

function fill(element: HTMLElement, { type, fields }: Content, shown: Shown): void {
  const { text = "", href = "", src = "", alt = "" } = fields;
  if (type === "text") {
    element.replaceChildren(text);
  } else if (type === "link") {
    const link = element instanceof HTMLAnchorElement ? element : document.createElement("a");
    set(link, "href", href, shown);
    if (text) link.replaceChildren(text);
    if (link !== element) element.replaceChildren(link);
  } else if (type === "image") {
    const image = element instanceof HTMLImageElement ? element : document.createElement("img");
    set(image, "alt", alt, shown);
    set(image, "src", src, shown);
    if (image !== element) element.replaceChildren(href ? linked(href, image) : image);
  } else if (type === "html") {
    const nodes = readMarkup(fields["html"] ?? "", made);
    if (nodes) element.replaceChildren(...nodes);
  } else if (type === "attributes") {
    for (const [name, value] of Object.entries(fields)) set(element, name, value, shown);
  }
}

/** An element of a content's markup. */
function made(name: string, attributes: Attributes, inside: (Node | string)[]): Node {
  const element = document.createElement(name);
  for (const [attribute, value] of attributes) element.setAttribute(attribute, value);
  element.append(...inside);
  return element;
}

function linked(href: string, image: Node): Node {
  const link = document.createElement("a");
  set(link, "href", href);
  link.append(image);
  return link;
}

/** Sets an attribute that neither runs code nor leads to code, and remembers what stood there. */
function set(element: Element, name: string, value: string, shown = applied.get(element)): void {
  if (name !== MARK && !isHarmless(name, value)) return;
  const original = originals.get(element);
  if (original && !original.attributes.has(name)) original.attributes.set(name, element.getAttribute(name));
  if (original) shown?.attributes.set(name, value);
  try {
    element.setAttribute(name, value);
  } catch {
    // Not a name that an attribute may have.
    shown?.attributes.delete(name);
  }
}
