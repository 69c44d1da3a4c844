// Text to markup, safely: the only way pages are written. Everything put into a template is escaped unless it is markup.

/** Markup that is safe to insert. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | boolean | null | undefined | readonly Part[];

/** Builds markup from a template; `false`, `null` and `undefined` leave nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, piece, index) => text + written(parts[index - 1]) + piece));
}

/** Marks text of our own (illustrations) as markup. Never call it with anything a visitor typed. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** Puts markup into an element in place of what was there. */
export function render(target: Element, markup: Markup): void {
  target.innerHTML = markup.text;
}

function written(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(written).join("");
  if (part === null || part === undefined || typeof part === "boolean") return "";
  return escaped(String(part));
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}
