/** Clicks in quick succession on one place: something does not do what it looks like. Once an element and page view. */
import { factsOf, hearClicks } from "./clicks";
import type { Watcher } from "./page";

const CLICKS_MIN = 3;
const SPAN_MS_MAX = 1_000;
const DISTANCE_PX_MAX = 30;

export const rage: Watcher = (page) => {
  let clicks: MouseEvent[] = [];
  let told = new WeakSet<Element>();
  hearClicks(([element], event) => {
    const isNear = ({ clientX, clientY, timeStamp }: MouseEvent): boolean =>
      event.timeStamp - timeStamp < SPAN_MS_MAX &&
      Math.hypot(event.clientX - clientX, event.clientY - clientY) <= DISTANCE_PX_MAX;
    clicks = [...clicks.filter(isNear), event];
    // Three clicks on a text select it.
    if (!element || clicks.length < CLICKS_MIN || told.has(element) || getSelection()?.type === "Range") return;
    told.add(element);
    page.say("rage_click", { ...factsOf(element), clicks: clicks.length });
  });
  page.turn(() => (told = new WeakSet()));
};
