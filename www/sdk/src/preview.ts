/**
 * A tab that holds a preview token (`selvedge preview`): the edge says what its holder may see and why, an overlay tells it. Nothing
 * is captured, nothing of the visitor is changed; the tab remembers the token until it is left.
 */
import { toHex } from "./decode";
import { drawOverlay } from "./overlay";
import { purposesOf, PURPOSES, type Ear, type Settings, type Sink } from "./sink";
import { openStorage, read } from "./storage";
import type { Boot } from "./stub";
import type { Content, Decision } from "./types";

export const PARAMETER = "selvedge_preview";

/** One test of a rule's condition, where it stands, and how it came out; null where that is not known. */
export type Test = {
  readonly test: string;
  readonly file: string;
  readonly line: number;
  readonly holds: boolean | null;
  readonly value: unknown;
};

export type Rule = {
  readonly rule: string;
  readonly slot: string;
  readonly reason: string;
  readonly misses: number;
  readonly tests: readonly Test[];
  /** Of its experiment, as `experiment/variant`. */
  readonly variants?: readonly string[];
};

export type Told = {
  readonly decisions: readonly (Omit<Decision, "content"> & { detail?: string; body?: Content | null })[];
  readonly preview: {
    readonly refused?: string;
    readonly expires?: string;
    readonly rules: readonly Rule[];
    readonly nearest: readonly { readonly slot: string; readonly rule: string; readonly misses: number }[];
  };
};

/** What the tab remembers. */
type Held = { readonly token: string; readonly variants: readonly string[] };

const CAMPAIGN = ["source", "medium", "campaign", "term", "content"];
const ALL_GRANTED = 15;

export function open({ data }: Boot, ear: Ear): Sink {
  const { site = "", key = "", endpoint = "" } = data;
  openStorage(site);
  const held = remember(site);
  let { variants } = held;
  let settings: Settings | undefined;
  let granted = ALL_GRANTED;
  let referrer = document.referrer;
  const visitor = read("visitor");
  const somebody = crypto.getRandomValues(new Uint8Array(16));
  const shown = new Map<string, string>();
  let asked = 0;

  const question = (): string => {
    somebody[0] = settings?.topology ?? 0;
    const consent = { granted: names(granted), denied: names(~granted), policy_version: settings?.policy_version ?? 0 };
    return JSON.stringify({
      write_key: key,
      visitor: toHex((visitor ?? somebody).subarray(0, 16)),
      context: facts(referrer),
      consent: [{ ...consent, mode: settings?.consent ?? "opt-in", time: Date.now() }],
      preview: held.token,
      variants,
    });
  };

  const draw = drawOverlay({
    isSomebody: !visitor,
    force: (experiment, variant) => {
      variants = variants.filter((one) => !one.startsWith(`${experiment}/`)).concat(variant || []);
      keep(site, { ...held, variants });
      void ask();
    },
    leave: () => {
      keep(site, undefined);
      location.reload();
    },
  });

  async function ask(): Promise<void> {
    const turn = ++asked;
    const told = await tell(`${endpoint}v1/decide`, question());
    if (turn !== asked) return;
    draw(told, variants);
    if (typeof told !== "string") showAll(told);
  }

  function showAll({ decisions }: Told): void {
    for (const { slot, rule, reason, body = null } of decisions) {
      const text = JSON.stringify([rule, body]);
      if (shown.get(slot) === text) continue;
      shown.set(slot, text);
      ear.show({ slot, rule, reason, content: body });
    }
  }

  const nothing = (): void => {};
  return {
    capture: nothing,
    page: (_, from) => {
      referrer = from;
      if (settings) void ask();
    },
    consent: (more, less) => {
      granted = (granted | more) & ~less;
      ear.heard("consent", purposesOf(granted));
      void ask();
    },
    hear: nothing,
    inView: nothing,
    seen: nothing,
    flush: nothing,
    reset: nothing,
    hidden: nothing,
    awake: nothing,
    settle: (known) => {
      settings = known;
      ear.heard("consent", purposesOf(granted));
      void ask();
    },
  };
}

/** What the edge says, or in words why it says nothing. */
async function tell(url: string, body: string): Promise<Told | string> {
  try {
    const response = await fetch(url, { method: "POST", body, credentials: "omit" });
    const told = (await response.json()) as Told & { readonly error?: { readonly message: string } };
    return response.ok ? told : (told.error?.message ?? `The edge answered ${response.status}.`);
  } catch {
    return "The edge cannot be reached.";
  }
}

/** The token of the address, which leaves it, else the tab's. */
function remember(site: string): Held {
  const url = new URL(location.href);
  const token = url.searchParams.get(PARAMETER);
  if (token === null) return kept(site);
  url.searchParams.delete(PARAMETER);
  const held = { token, variants: [] };
  if (keep(site, held)) history.replaceState(history.state, "", url);
  return held;
}

function kept(site: string): Held {
  try {
    return JSON.parse(sessionStorage.getItem(`selvedge.${site}.preview`) ?? "") as Held;
  } catch {
    return { token: "", variants: [] };
  }
}

/** False where the browser keeps nothing. */
function keep(site: string, held: Held | undefined): boolean {
  try {
    const key = `selvedge.${site}.preview`;
    if (held) sessionStorage.setItem(key, JSON.stringify(held));
    else sessionStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}

function names(bits: number): string[] {
  return PURPOSES.filter((_, at) => (bits >> at) & 1);
}

/** The facts of this page view that a page says of itself. */
function facts(referrer: string): { [fact: string]: string | number } {
  const { pathname, searchParams } = new URL(location.href);
  const campaign = CAMPAIGN.flatMap((part): [string, string][] => {
    const value = searchParams.get(`utm_${part}`);
    return value ? [[`utm.${part}`, value]] : [];
  });
  return {
    ...Object.fromEntries(campaign),
    "page.path": pathname,
    language: navigator.language,
    "viewport.width": innerWidth,
    utc_offset: -new Date().getTimezoneOffset(),
    "device.class": /Mobi/.test(navigator.userAgent) ? "mobile" : "desktop",
    ...(referrer ? {} : { "referrer.class": "direct" }),
  };
}
