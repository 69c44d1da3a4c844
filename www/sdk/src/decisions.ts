/** What stands in the slots: decisions as the head says them, handed to what shows them, which is loaded where there is a slot. */
import { Reader } from "./decode";
import type { Content, Decision } from "./types";

const SLOT = "[data-selvedge-slot]";
const TYPES = ["text", "link", "image", "attributes", "html", "json"] as const;

/** Slots whose elements are found by a CSS selector: name and selector. */
export type Selectors = readonly (readonly [slot: string, selector: string])[];

/** What shows decisions has from here, and tells of. */
export type Eye = {
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Decisions that are recorded once their slot is seen, though no rule has it. */
  readonly recorded: { has(decision: Decision): boolean };
  /** Half of a slot is visible. */
  inView(slot: string): void;
  /** It was visible for long enough. */
  seen(slot: string): void;
};

/** What shows decisions: `slots.ts`. */
export type Slots = {
  show(decision: Decision): void;
  /** Looks again at what is visible: a page view began, or the page is back. */
  lookAgain(): void;
  /** Elements that selectors find are slots too. */
  select(selectors: Selectors): void;
};

export const decisions = new Map<string, Decision>();

export let want: () => void;
/** Once somebody wants decisions: the page has a slot, or the site asks. Until then nothing that decides is fetched. */
export const wanted = new Promise<void>((resolve) => {
  want = resolve;
});

const recorded = new WeakSet<Decision>();
let changed: (decision: Decision) => void = () => {};
/** Until it is loaded. */
let load: (() => void) | undefined;
/** A slot may come later: looked for once for each picture of a page that changes. */
const watcher = new MutationObserver(() => {
  watcher.disconnect();
  requestAnimationFrame(look);
});
let slots: Slots | undefined;
let selectors: Selectors = [];

/** From now on decisions are shown, by what `loads` gives; calls back with those that changed. */
export function openDecisions(
  eye: Pick<Eye, "inView" | "seen">,
  onChanged: typeof changed,
  loads: () => Promise<{ openSlots(eye: Eye): Slots }>,
): void {
  changed = onChanged;
  load = () => {
    load = undefined;
    watcher.disconnect();
    want();
    loads().then(
      ({ openSlots }) => {
        slots = openSlots({ ...eye, decisions, recorded });
        slots.select(selectors);
      },
      () => {
        // The page stays as it is.
      },
    );
  };
  look();
}

/** Loads what shows decisions where the page has a slot, and looks again when it has changed. */
function look(): void {
  try {
    const all = [SLOT, ...selectors.map(([, selector]) => selector)].join();
    if (document.querySelector(all)) load?.();
  } catch {
    // Not all of them are selectors of this browser.
    load?.();
  }
  if (load) watcher.observe(document, { childList: true, subtree: true });
}

export function show(decision: Decision): void {
  decisions.set(decision.slot, decision);
  slots?.show(decision);
  changed(decision);
}

export function lookAgain(): void {
  slots?.lookAgain();
}

export function selectSlots(found: Selectors): void {
  selectors = found;
  if (load && found.length) look();
  slots?.select(found);
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
