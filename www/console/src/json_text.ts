// JSON kept as text. What the console shows of a number is what was sent: parsing would round integers above 2^53.

/** What a piece of JSON text is, for its colour. */
export type TokenKind = "key" | "text" | "number" | "word" | "mark";

/** A piece of JSON text. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

/** How many tokens are shown at most. */
export const TOKENS_MAX = 20_000;

const PIECE = /"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** The members of the object that `text` is, each as its own text. Empty where it is none. */
export function members(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let start = -1;
  for (const match of text.matchAll(PIECE)) {
    const piece = match[0];
    const isOpening = piece === "{" || piece === "[";
    const isClosing = piece === "}" || piece === "]";
    if (isClosing) depth--;
    if (depth === 1 && key !== undefined && start < 0 && piece !== ":") start = match.index;
    if (isOpening) depth++;
    const endsMember = (depth === 1 && piece === ",") || (depth === 0 && isClosing);
    if (endsMember && key !== undefined && start >= 0) {
      found.set(key, text.slice(start, match.index).trim());
      key = undefined;
      start = -1;
    } else if (depth === 1 && key === undefined && piece.startsWith('"')) {
      key = unquoted(piece);
    }
  }
  return found;
}

/** The text in lines, indented, in pieces to colour. */
export function pretty(text: string): readonly Token[] {
  const pieces = [...text.matchAll(PIECE)].map((match) => match[0]);
  const tokens: Token[] = [];
  let depth = 0;
  for (const [index, piece] of pieces.entries()) {
    if (tokens.length >= TOKENS_MAX) break;
    const next = pieces[index + 1];
    const last = pieces[index - 1];
    if ((piece === "}" || piece === "]") && depth > 0) depth--;
    const isEmptyPair = (piece === "}" && last === "{") || (piece === "]" && last === "[");
    if ((piece === "}" || piece === "]") && !isEmptyPair) tokens.push(mark(lineOf(depth)));
    tokens.push({ kind: kindOf(piece, next), text: piece });
    if (piece === "{" || piece === "[") {
      depth++;
      if (next !== "}" && next !== "]") tokens.push(mark(lineOf(depth)));
    }
    if (piece === ",") tokens.push(mark(lineOf(depth)));
    if (piece === ":") tokens.push(mark(" "));
  }
  return tokens;
}

function mark(text: string): Token {
  return { kind: "mark", text };
}

function lineOf(depth: number): string {
  return `\n${"  ".repeat(Math.min(depth, 40))}`;
}

function kindOf(piece: string, next: string | undefined): TokenKind {
  if (piece.startsWith('"')) return next === ":" ? "key" : "text";
  if (/^[-\d]/.test(piece)) return "number";
  return /^[a-z]/.test(piece) ? "word" : "mark";
}

function unquoted(piece: string): string {
  const value: unknown = JSON.parse(piece);
  return typeof value === "string" ? value : "";
}
