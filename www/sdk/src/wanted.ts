/** What a site wants captured beyond clicks and page views, and when the code for it comes. */
import { api } from "./api";
import { onTurn, setRoutes } from "./capture";
import type { Page, Wanted } from "./capture/page";
import type { Settings } from "./sink";

/** What needs no code of its own. */
const AT_HAND = /^(none|routes|hash|loss|clicks|outbound|downloads|contents|ecommerce)$/;
const IDLE_MS_MAX = 2_000;

/** The lazy chunk: with web vitals, or without. */
export type Watching = { watch(wanted: Wanted, page: Page): void };

/** `data-capture="forms search=q,query"` on the script tag takes the place of the config's. */
export function wantedOf(said: string | undefined, settings: Settings | undefined): Wanted {
  const words = said?.split(/\s+/).map((word) => word.split("=") as [string, string?]);
  return new Map((words ?? settings?.capture ?? []).map(([kind, option = ""]) => [kind, option]));
}

/** Loads what is wanted once the visitor granted something and the page has nothing else to do: until then nothing is watched. */
export function captureMore(
  wanted: Wanted,
  load: (name: "extras" | "vitals") => Promise<Watching>,
  say: Page["say"],
): void {
  setRoutes(wanted);
  if (![...wanted.keys()].some((kind) => kind && !AT_HAND.test(kind))) return;
  const begin = (): void => {
    const { analytics, personalization, advertising } = api.consent();
    if (!(analytics || personalization || advertising)) return;
    stop();
    const start = (): unknown =>
      load(wanted.has("vitals") ? "vitals" : "extras")
        .then(({ watch }) => watch(wanted, { say, turn: onTurn }))
        .catch(() => {});
    if ("requestIdleCallback" in window) requestIdleCallback(start, { timeout: IDLE_MS_MAX });
    else setTimeout(start, IDLE_MS_MAX);
  };
  const stop = api.on("consent", begin);
  begin();
}
