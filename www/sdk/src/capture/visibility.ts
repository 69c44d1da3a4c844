/** Elements that the site marked: `data-selvedge-visible="promo"`. Seen when half of one was visible for a second, once a page view. */
import { propertiesOf, readingsOf } from "../element";
import type { Watcher } from "./page";

const SEEN_MS = 1_000;
const STEPS = [0, 0.1, 0.2, 0.3, 0.4, 0.5];

export const visibility: Watcher = (page) => {
  let timers = new Map<Element, ReturnType<typeof setTimeout>>();

  const seen = (element: HTMLElement): void => {
    observer.unobserve(element);
    const properties = propertiesOf(element.dataset);
    const name = element.dataset["selvedgeVisible"] ?? "";
    page.say("element_visible", { ...properties, element: name }, readingsOf(properties));
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio, intersectionRect } of entries) {
        const isVisible = intersectionRatio >= 0.5 || intersectionRect.height >= innerHeight / 2;
        const timer = timers.get(target);
        if (isVisible && !timer) timers.set(target, setTimeout(() => seen(target as HTMLElement), SEEN_MS));
        else if (!isVisible) {
          clearTimeout(timer);
          timers.delete(target);
        }
      }
    },
    { threshold: STEPS },
  );
  const look = (): void => {
    for (const element of document.querySelectorAll("[data-selvedge-visible]")) {
      if (!timers.has(element) && !element.closest("[data-selvedge-private]")) observer.observe(element);
    }
  };
  look();
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["data-selvedge-visible"] });
  page.turn(() => {
    timers.forEach((timer) => clearTimeout(timer));
    timers = new Map();
    observer.disconnect();
    look();
  });
};
