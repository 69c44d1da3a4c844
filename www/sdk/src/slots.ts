/** Decisions into elements, also into those that appear later; and whether they were seen. */
import type { Eye, Selectors, Slots } from "./decisions";
import { apply, findSlotsBy, slotElements, slotOf } from "./dom";
import type { Decision } from "./types";

/** How long half of a slot must be visible to count as seen. */
const SEEN_MS = 1_000;
/** A page that undoes what is shown in a slot gets it ten times at once, then once a second. */
const ROUND_MS = 1_000;
const ROUNDS_MS_MAX = 10 * ROUND_MS;

let eye: Eye;
const timers = new Map<Element, ReturnType<typeof setTimeout>>();
const watched = new WeakSet<Element>();
/** Until when what a slot was given so far takes, at a round a second. */
const busyUntil = new Map<string, number>();

const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      clearTimeout(timers.get(entry.target));
      timers.delete(entry.target);
      // What is in view of a hidden page waits until that is back.
      if (isHalfVisible(entry) && !document.hidden) {
        timers.set(entry.target, setTimeout(wasSeen, SEEN_MS, entry.target));
        eye.inView(slotOf(entry.target));
      }
    }
  },
  { threshold: [0, 0.25, 0.5] },
);

/** Keeps slots filled from now on. */
export function openSlots(from: Eye): Slots {
  eye = from;
  mutations.observe(document, { childList: true, subtree: true });
  return { show, lookAgain, select };
}

let isScheduled = false;
const mutations = new MutationObserver(() => {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    fillAll();
  });
});

function show(decision: Decision): void {
  for (const element of slotElements(decision.slot)) fill(element, decision);
}

function lookAgain(): void {
  for (const element of slotElements()) {
    if (watched.has(element)) watch(element);
  }
}

function select(selectors: Selectors): void {
  findSlotsBy(selectors);
  fillAll();
}

function fillAll(): void {
  const now = performance.now();
  const filled = new Set<string>();
  for (const element of slotElements()) {
    const slot = slotOf(element);
    const decision = eye.decisions.get(slot);
    if (!decision) continue;
    if ((busyUntil.get(slot) ?? 0) > now + ROUNDS_MS_MAX) lookLater();
    else if (fill(element, decision)) filled.add(slot);
  }
  for (const slot of filled) busyUntil.set(slot, Math.max(now, busyUntil.get(slot) ?? 0) + ROUND_MS);
}

let later: ReturnType<typeof setTimeout> | undefined;
function lookLater(): void {
  later ??= setTimeout(() => {
    later = undefined;
    fillAll();
  }, ROUND_MS);
}

/** True where the element changed. */
function fill(element: HTMLElement, decision: Decision): boolean {
  const changes = apply(element, decision);
  if (changes) mutations.observe(element, { attributes: true, characterData: true, childList: true, subtree: true });
  if ((decision.rule || eye.recorded.has(decision)) && (changes || !watched.has(element))) watch(element);
  return changes;
}

/** Observing anew makes the observer report at once. */
function watch(element: Element): void {
  watched.add(element);
  observer.unobserve(element);
  observer.observe(element);
}

/** Half of it is visible, or, where it is larger than that, it fills half of the view. */
function isHalfVisible({ intersectionRatio, intersectionRect, rootBounds }: IntersectionObserverEntry): boolean {
  return intersectionRatio >= 0.5 || (!!rootBounds && intersectionRect.height >= rootBounds.height / 2);
}

function wasSeen(element: Element): void {
  timers.delete(element);
  if (!document.hidden && element.isConnected) eye.seen(slotOf(element));
}
