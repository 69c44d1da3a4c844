/** How far a page was scrolled: each mark once a page view. What was seen without scrolling is no depth. */
import { hear, type Watcher } from "./page";

const PERCENT_MARKS = [25, 50, 75, 90, 100];

export const scroll: Watcher = (page) => {
  let passed = 0;
  hear(["scroll"], () => {
    // A route that begins sets the page back to its top.
    if (scrollY <= 0) return;
    // A pixel is lost to rounding at the end of a page.
    const seen = ((scrollY + innerHeight + 1) / document.documentElement.scrollHeight) * 100;
    for (const percent of PERCENT_MARKS) {
      if (percent <= passed || percent > seen) continue;
      passed = percent;
      page.say("scroll_depth", { percent });
    }
  });
  page.turn(() => (passed = 0));
};
