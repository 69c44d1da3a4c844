/** What stands in the slots: decisions into elements, also into those that appear later; and whether they were seen. */
import { Reader } from "./decode";
import { apply, findSlotsBy, slotElements, slotOf } from "./dom";
import type { Content, Decision } from "./types";

const TYPES = ["text", "link", "image", "attributes", "html", "json"] as const;
/** How long half of a slot must be visible to count as seen. */
const SEEN_MS = 1_000;

export const decisions = new Map<string, Decision>();

let seen: (slot: string) => void = () => {};
let inView: (slot: string) => void = () => {};
let changed: (decision: Decision) => void = () => {};
const timers = new Map<Element, ReturnType<typeof setTimeout>>();
const watched = new WeakSet<Element>();
/** Decisions that are recorded once their slot is seen. */
const recorded = new WeakSet<Decision>();

const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      clearTimeout(timers.get(entry.target));
      timers.delete(entry.target);
      // What is in view of a hidden page waits until that is back.
      if (isHalfVisible(entry) && !document.hidden) {
        timers.set(entry.target, setTimeout(wasSeen, SEEN_MS, entry.target));
        inView(slotOf(entry.target));
      }
    }
  },
  { threshold: [0, 0.25, 0.5] },
);

/** Keeps slots filled from now on; calls back with slots in view, with those that were seen, and with decisions that changed. */
export function openSlots(onInView: typeof inView, onSeen: typeof seen, onChanged: typeof changed): void {
  inView = onInView;
  seen = onSeen;
  changed = onChanged;
  let isScheduled = false;
  new MutationObserver(() => {
    if (isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      fillAll();
    });
  }).observe(document, { childList: true, subtree: true });
}

export function show(decision: Decision): void {
  decisions.set(decision.slot, decision);
  for (const element of slotElements(decision.slot)) fill(element, decision);
  changed(decision);
}

/** Looks again at what is visible: a page view began, or the page is back. */
export function lookAgain(): void {
  for (const element of slotElements()) {
    if (watched.has(element)) watch(element);
  }
}

/** Elements that selectors find are slots too. */
export function selectSlots(selectors: Parameters<typeof findSlotsBy>[0]): void {
  findSlotsBy(selectors);
  fillAll();
}

function fillAll(): void {
  for (const element of slotElements()) {
    const decision = decisions.get(slotOf(element));
    if (decision) fill(element, decision);
  }
}

function fill(element: HTMLElement, decision: Decision): void {
  const changes = apply(element, decision);
  if ((decision.rule || recorded.has(decision)) && (changes || !watched.has(element))) watch(element);
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
  if (!document.hidden && element.isConnected) seen(slotOf(element));
}

export function readDecision(bytes: Uint8Array): Decision {
  const reader = new Reader(bytes);
  const slot = reader.text();
  const rule = reader.text() || null;
  const reason = reader.text();
  const isRecorded = reader.u8();
  const decision = { slot, rule, reason, content: reader.u8() ? readContent(reader) : null };
  if (isRecorded) recorded.add(decision);
  return decision;
}

function readContent(reader: Reader): Content {
  const id = reader.text();
  const type = TYPES[reader.u8()] ?? "text";
  const fields: Record<string, string> = {};
  for (let count = reader.varint(); count > 0; count--) {
    const name = reader.text();
    fields[name] = reader.text();
  }
  return { id, type, fields };
}
