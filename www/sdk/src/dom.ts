/**
 * The one file that writes to the page. An element gets what a decision says, once; nothing is hidden, and nothing is
 * fought over: where the site writes into the element afterwards, that stays. The fallback gives back what stood there.
 */
import type { Content, Decision } from "./types";

const SLOT = "data-selvedge-slot";
const MARK = "data-selvedge-content";
/** Attributes that hold an address. */
const ADDRESS = /^(?:xlink:)?(?:href|src|action|formaction|poster|data|background)$/i;
/** Attributes that run code or load a document, and ours. */
const FORBIDDEN = /^(?:on|srcdoc$|srcset$|style$|data-selvedge-)/i;
/** What markup may hold; the compiler allows the same (crates/selvedge-compiler/src/markup.rs). */
const ELEMENT =
  /^(?:a|abbr|b|bdi|blockquote|br|caption|cite|code|d[dlt]|del|div|em|figcaption|figure|h[1-6r]|i|img|ins|kbd|li|mark|ol|p|pre|q|s|section|small|span|strong|su[bp]|t(?:able|body|d|foot|h|head|ime|r)|u|ul|wbr)$/;
const ATTRIBUTE =
  /^(?:alt|aria-[\w-]+|cite|class|colspan|data-[\w-]+|datetime|decoding|dir|height|href|hreflang|lang|loading|rel|role|rowspan|scope|src|start|target|title|width)$/;

type Policy = { createHTML(html: string): string };
/** Where the site asks for trusted types, what `selvedge` makes is parsed, and built anew from the lists above. */
let policy: Policy | undefined;

type Original = { nodes: Node[]; attributes: Map<string, string | null> };

const originals = new WeakMap<Element, Original>();
const applied = new WeakMap<Element, Decision>();

/** Elements that are a slot without a mark. */
let selectors: readonly (readonly [slot: string, selector: string])[] = [];

export function findSlotsBy(found: typeof selectors): void {
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

/** Shows `decision` in an element of its slot, unless it was shown there. True where the element changed. */
export function apply(element: HTMLElement, decision: Decision): boolean {
  if (applied.get(element) === decision) return false;
  const changes = originals.has(element) || decision.content !== null;
  applied.set(element, decision);
  restore(element);
  if (decision.content) {
    originals.set(element, { nodes: [...element.childNodes], attributes: new Map() });
    fill(element, decision.content);
    set(element, MARK, decision.content.id);
  }
  return changes;
}

/** Gives back what stood there before. */
function restore(element: Element): void {
  const original = originals.get(element);
  if (!original) return;
  originals.delete(element);
  for (const [name, value] of original.attributes) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  if (!sameNodes(original.nodes, element)) element.replaceChildren(...original.nodes);
}

function sameNodes(nodes: readonly Node[], element: Element): boolean {
  return nodes.length === element.childNodes.length && nodes.every((node, at) => element.childNodes[at] === node);
}

function fill(element: HTMLElement, { type, fields }: Content): void {
  const { text = "", href = "", src = "", alt = "" } = fields;
  if (type === "text") {
    element.replaceChildren(text);
  } else if (type === "link") {
    const link = element instanceof HTMLAnchorElement ? element : document.createElement("a");
    set(link, "href", href);
    if (text) link.replaceChildren(text);
    if (link !== element) element.replaceChildren(link);
  } else if (type === "image") {
    const image = element instanceof HTMLImageElement ? element : document.createElement("img");
    set(image, "alt", alt);
    set(image, "src", src);
    if (image !== element) element.replaceChildren(href ? linked(href, image) : image);
  } else if (type === "html") {
    const parsed = parse(fields.html ?? "");
    if (parsed) element.replaceChildren(...rebuilt(parsed));
  } else if (type === "attributes") {
    for (const [name, value] of Object.entries(fields)) set(element, name, value);
  }
}

/** The markup as a document that runs and loads nothing; undefined where the page does not let it be parsed. */
function parse(html: string): Node | undefined {
  try {
    const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
    policy ??= trustedTypes?.createPolicy("selvedge", { createHTML: (text) => text });
    return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html").body;
  } catch {
    return undefined;
  }
}

/** The same nodes, made anew one by one: what is not on the lists is left out, with all that it holds. */
function rebuilt(parsed: Node): Node[] {
  const nodes: Node[] = [];
  for (const node of parsed.childNodes) {
    if (node instanceof Text) nodes.push(document.createTextNode(node.data));
    if (!(node instanceof HTMLElement) || !ELEMENT.test(node.localName)) continue;
    const element = document.createElement(node.localName);
    for (const { name, value } of node.attributes) {
      if (ATTRIBUTE.test(name)) set(element, name, value);
    }
    element.append(...rebuilt(node));
    nodes.push(element);
  }
  return nodes;
}

function linked(href: string, image: Node): Node {
  const link = document.createElement("a");
  set(link, "href", href);
  link.append(image);
  return link;
}

/** Sets an attribute that neither runs code nor leads to code, and remembers what stood there. */
function set(element: Element, name: string, value: string): void {
  if (name !== MARK && (FORBIDDEN.test(name) || (ADDRESS.test(name) && !isSafe(value)))) return;
  const attributes = originals.get(element)?.attributes;
  if (attributes && !attributes.has(name)) attributes.set(name, element.getAttribute(name));
  try {
    element.setAttribute(name, value);
  } catch {
    // Not a name that an attribute may have.
  }
}

function isSafe(address: string): boolean {
  try {
    return /^(?:https?|mailto|tel):$/.test(new URL(address, document.baseURI).protocol);
  } catch {
    return false;
  }
}
