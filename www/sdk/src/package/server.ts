/**
 * Decisions for a page that a server renders, over `POST /v1/decide`. Nothing of the visitor is changed by it, but the grants of what
 * is capped where the page takes none itself.
 *
 * @packageDocumentation
 */
import type { Choice, Content, Decision } from "../types";

export type { Choice, Content, Decision, Purpose } from "../types";

/** Whom a page is rendered for, and what is known of this moment. */
export type DecideOptions = {
  /** Where the edge is. */
  readonly endpoint: string | URL;
  /** The server source's key: a secret. */
  readonly serverKey: string;
  /** The visitor's id, 32 hexadecimal digits, where the server knows it; left out: somebody new. */
  readonly visitor?: string;
  /** The visitor's id in another system, instead of `visitor`. */
  readonly anonymousId?: string;
  /** The slots asked for; left out: all. */
  readonly slots?: readonly string[];
  /** Facts of the moment: `page.path`, `utm.medium`, `device.class`, ... */
  readonly context?: { readonly [fact: string]: string | number | boolean };
  /** What the visitor granted and denied, and under which policy; left out: what the edge has stored counts alone. */
  readonly consent?: { readonly choice: Choice; readonly policyVersion: number };
  /** The visitor's country, two letters. */
  readonly country?: string;
  /** Whether the visitor's browser sends Global Privacy Control. */
  readonly gpc?: boolean;
  /** A token of `selvedge preview`. */
  readonly preview?: string;
  /**
   * The page runs the client with its rule engine (`rules`), which takes the grants of what is capped where it is seen; left out:
   * true. `false`: the answer takes them, as nobody else does.
   */
  readonly claims?: boolean;
  /** Any name for the page that is rendered: asked again under it, the answer takes no second grant. */
  readonly render?: string;
  /** How long a page may wait for it; left out: 300. */
  readonly timeoutMs?: number;
  /** What asks, where it is not the platform's own `fetch`. */
  readonly fetch?: typeof fetch;
};

type Answer = { readonly decisions?: readonly (Omit<Decision, "content"> & { readonly body?: Content | null })[] };

/**
 * The decisions, as plain data: hand them to the page, and to `<SelvedgeProvider decisions={...}>`.
 *
 * It never throws. Where the edge cannot be asked in time, there are none, and the page shows what stands in it.
 */
export async function decide(options: DecideOptions): Promise<readonly Decision[]> {
  const { endpoint, serverKey, timeoutMs = 300, fetch: ask = fetch } = options;
  try {
    const response = await ask(new URL("v1/decide", String(endpoint).replace(/\/?$/, "/")), {
      method: "POST",
      headers: { authorization: `Bearer ${serverKey}`, "content-type": "application/json" },
      body: JSON.stringify(question(options)),
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) return [];
    const { decisions = [] } = (await response.json()) as Answer;
    return decisions.map(({ slot, rule, reason, body = null }) => ({ slot, rule, reason, content: body }));
  } catch {
    return [];
  }
}

function question({ visitor, anonymousId, consent, ...rest }: DecideOptions): object {
  const { slots, context, country, gpc, preview, claims = true, render } = rest;
  const whose = anonymousId === undefined ? { visitor: visitor ?? somebodyNew() } : { anonymous_id: anonymousId };
  const said = consent && {
    granted: purposes(consent.choice, true),
    denied: purposes(consent.choice, false),
    mode: "opt-in",
    policy_version: consent.policyVersion,
  };
  return { ...whose, slots, context, country, gpc, preview, claims, render, consent: said && [said] };
}

function purposes(choice: Choice, said: boolean): string[] {
  return Object.entries(choice).flatMap(([purpose, is]) => (is === said ? [purpose] : []));
}

/** An id of the first entry of the topology. */
function somebodyNew(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return `00${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
