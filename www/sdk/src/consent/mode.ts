/** Google Consent Mode v2, off the dataLayer: defaults by region, updates, and the wait for one. */
import { ASKS, CONSENT_MODE, sayPurposes, type Say } from "./sources";

type Given = { readonly [type: string]: unknown };

const TYPES = [
  ["analytics_storage"],
  ["personalization_storage"],
  ["ad_storage", "ad_user_data", "ad_personalization"],
] as const;

type Layer = { push(...items: unknown[]): number } & unknown[];

export function dataLayer(): Layer {
  return ((window as unknown as { dataLayer?: Layer }).dataLayer ??= [] as unknown as Layer);
}

/** `region`: where the visitor is, `US` or `US-CA`. Gives back whether a default has an update waited for. */
export function readConsentMode(say: Say, region: string): () => boolean {
  const layer = dataLayer();
  const values: Record<string, unknown> = {};
  const ranks: Record<string, number> = {};
  let isUpdated = false;
  let isSet = false;
  let waits = 0;

  function take(item: unknown): void {
    const [name, command, given] = Array.from((item ?? []) as ArrayLike<unknown>) as [unknown, unknown, Given | null];
    if (name !== "consent" || typeof given !== "object" || !given) return;
    isUpdated ||= command === "update";
    const rank = command === "update" ? 3 : command === "default" ? rankOf(given["region"], region) : -1;
    if (rank < 0) return;
    isSet = true;
    for (const type of TYPES.flat()) {
      if (!(type in given) || rank < (ranks[type] ?? 0)) continue;
      ranks[type] = rank;
      values[type] = given[type];
    }
    const wait = Number(given["wait_for_update"]);
    if (command === "update") decide();
    else if (wait > 0) {
      waits++;
      setTimeout(() => decide(waits--), wait);
    } else if (!waits) decide();
  }

  function decide(_?: unknown): void {
    if (!isSet || (waits && !isUpdated)) return;
    const are = TYPES.map((types) =>
      types.some((type) => type in values) ? types.every((type) => values[type] === "granted") : undefined,
    );
    // A default that grants nothing is no answer of the visitor.
    if (isUpdated || are.includes(true)) sayPurposes(say, CONSENT_MODE, are, JSON.stringify(values));
    else say(CONSENT_MODE, ASKS);
  }

  layer.forEach(take);
  const push = layer.push;
  layer.push = (...items: unknown[]) => {
    const length = push.apply(layer, items);
    items.forEach(take);
    return length;
  };
  return () => waits > 0;
}

/** How special a default is: 2 names the visitor's subdivision, 1 the country, 0 no region; -1 is of other regions. */
function rankOf(regions: unknown, region: string): number {
  if (!Array.isArray(regions)) return 0;
  const country = region.split("-")[0];
  return regions.includes(region) && region !== country ? 2 : regions.includes(country) ? 1 : -1;
}

/** Tells Google's tags what is in force. */
export function tellConsentMode(purposes: { readonly [purpose: string]: boolean }): void {
  const names = ["analytics", "personalization", "advertising"];
  const word = (at: number): string => (purposes[names[at]!] ? "granted" : "denied");
  const given = Object.fromEntries(TYPES.flatMap((types, at) => types.map((type) => [type, word(at)])));
  // Tags take an arguments object, and no array.
  (function (..._: unknown[]): void {
    dataLayer().push(arguments);
  })("consent", "update", given);
}
