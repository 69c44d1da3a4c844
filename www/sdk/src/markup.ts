/**
 * What content may be made of, so that nothing in it runs code: lists of what is allowed, and a reader of markup for the page and
 * for React. The compiler lets the same pass (crates/selvedge-compiler/src/markup.rs); where anything else stands, nothing of the
 * markup is shown. The browser's parser is not asked: it would report to the site's policy what it meets, and need trusted types.
 */

/** Attributes that hold an address. */
const ADDRESS = /^(?:xlink:)?(?:href|src|cite|action|formaction|poster|data|background)$/i;
/** Attributes that run code or load a document, and ours. */
const FORBIDDEN = /^(?:on|srcdoc$|srcset$|style$|data-selvedge-)/i;
const ELEMENT =
  /^(?:a|abbr|b|bdi|blockquote|br|caption|cite|code|d[dlt]|del|div|em|figcaption|figure|h[1-6r]|i|img|ins|kbd|li|mark|ol|p|pre|q|s|section|small|span|strong|su[bp]|t(?:able|body|d|foot|h|head|ime|r)|u|ul|wbr)$/;
const ATTRIBUTE =
  /^(?:alt|aria-[\w-]+|cite|class|colspan|data-[\w-]+|datetime|decoding|dir|height|href|hreflang|lang|loading|rel|role|rowspan|scope|src|start|target|title|width)$/;
/** Elements whose attributes or text are code, or lead to a document. */
const ACTIVE = /^(?:script|style|link|meta|base|iframe|frame|object|embed|template|noscript|portal)$/i;

const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z][\w-]*\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/y;
const VALUE = /([a-z][\w-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const TEXT = /[^<]+/y;
const VOID = /^(?:br|hr|img|wbr)$/;
const DEPTH_MAX = 32;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{2,6}));/g;
/** Characters by name; other names stay as they are written. */
const NAMED = "amp& lt< gt> quot\" apos' nbsp\u00a0 shy\u00ad copy© reg® trade™ hellip… ndash– mdash— lsquo‘ rsquo’ ldquo“ rdquo” bdquo„ laquo« raquo» euro€ pound£ times× middot· bull• deg° rarr→ larr←";

export type Attributes = readonly (readonly [name: string, value: string])[];
/** Makes a node of an element, its attributes that may be, and what is inside. */
export type Make<Node> = (name: string, attributes: Attributes, inside: (Node | string)[]) => Node;

type Open<Node> = { readonly name: string; readonly attributes: Attributes; readonly inside: (Node | string)[] };

/** What markup is made of; undefined where it is none that may be shown. */
export function readMarkup<Node>(html: string, make: Make<Node>): (Node | string)[] | undefined {
  const all: (Node | string)[] = [];
  const open: Open<Node>[] = [{ name: "", attributes: [], inside: all }];
  let at = 0;
  while (at < html.length) {
    TEXT.lastIndex = TAG.lastIndex = at;
    const text = TEXT.exec(html);
    const tag = text ? null : TAG.exec(html);
    if (text) open.at(-1)?.inside.push(characters(text[0]));
    else if (!tag || !step(open, tag, make)) return undefined;
    at += (text ?? tag)?.[0].length ?? 0;
  }
  return open.length === 1 ? all : undefined;
}

/** Opens or closes an element; false where neither can be. */
function step<Node>(open: Open<Node>[], tag: RegExpExecArray, make: Make<Node>): boolean {
  const [, slash, name = "", values = "", isClosed] = tag;
  const isVoid = VOID.test(name);
  if (slash) {
    const last = open.pop();
    if (last?.name !== name || values || isClosed) return false;
    open.at(-1)?.inside.push(make(name, last.attributes, last.inside));
    return true;
  }
  if (!ELEMENT.test(name) || open.length > DEPTH_MAX || (isClosed && !isVoid)) return false;
  const attributes = allowed(Array.from(values.matchAll(VALUE), (value) => [value[1] ?? "", characters(value[2] ?? value[3] ?? "")]));
  if (isVoid) open.at(-1)?.inside.push(make(name, attributes, []));
  else open.push({ name, attributes, inside: [] });
  return true;
}

/** Those of them that markup may have, and that lead to no code. */
export function allowed(attributes: Attributes): Attributes {
  return attributes.filter(([name, value]) => ATTRIBUTE.test(name) && isHarmless(name, value));
}

function characters(text: string): string {
  return text.replace(ENTITY, (entity, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name) return new RegExp(`(?:^| )${name}(\\W)`).exec(NAMED)?.[1] ?? entity;
    const code = decimal ? +decimal : parseInt(hexadecimal ?? "", 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

/** Whether an element is none that content may fill. */
export function isActive(name: string): boolean {
  return ACTIVE.test(name);
}

/** Whether an attribute of this value neither runs code nor leads to code. */
export function isHarmless(name: string, value: string): boolean {
  return !FORBIDDEN.test(name) && (!ADDRESS.test(name) || isSafe(value));
}

function isSafe(address: string): boolean {
  try {
    return /^(?:https?|mailto|tel):$/.test(new URL(address, "http://a").protocol);
  } catch {
    return false;
  }
}
