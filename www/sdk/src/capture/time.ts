/** How long a page was in view and used. Half a minute without a move of the visitor is the longest that counts as use. */
import { hear, type Watcher } from "./page";

const REST_MS_MAX = 30_000;
const TOLD_MS_MIN = 1_000;

export const time: Watcher = (page) => {
  let isSeen = !document.hidden;
  let last = performance.now();
  let used = 0;
  const count = (): void => {
    const now = performance.now();
    if (isSeen) used += Math.min(now - last, REST_MS_MAX);
    last = now;
  };
  const tell = (): void => {
    count();
    if (used < TOLD_MS_MIN) return;
    page.say("engagement", { duration_ms: Math.round(used) });
    used = 0;
  };
  hear(["pointerdown", "pointermove", "keydown", "scroll"], count);
  hear(["visibilitychange"], () => {
    count();
    isSeen = !document.hidden;
    if (!isSeen) tell();
  });
  hear(["pagehide"], tell);
  page.turn(tell);
};
