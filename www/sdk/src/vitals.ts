/**
 * The lazy chunk for pages that want Core Web Vitals (by the definitions of the `web-vitals` package): these, and all that extras.ts
 * captures. The library is larger than the rest together: pages without it fetch extras.js instead.
 */
import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from "web-vitals";
import type { Page, Wanted } from "./capture/page";
import { watch as watchExtras } from "./extras";

export function watch(wanted: Wanted, page: Page): void {
  watchExtras(wanted, page);
  const tell = ({ name, value, rating, navigationType }: Metric): void => {
    page.say("web_vital", { metric: name, navigation: navigationType, rating, value: Math.round(value * 1e4) / 1e4 });
  };
  onCLS(tell);
  onFCP(tell);
  // Left to itself it says nothing of a page that goes right behind an interaction: the newest is told when the page is
  // hidden, behind the library's own listeners at the window.
  let inp: Metric | undefined;
  onINP((metric) => (inp = metric), { reportAllChanges: true });
  document.addEventListener("visibilitychange", () => {
    if (inp) tell(inp);
    inp = undefined;
  });
  onLCP(tell);
  onTTFB(tell);
}
