/**
 * The overlay of a preview: per slot what is shown and why, and which variant to draw instead. It stands in a shadow root of its
 * own; neither the site's styles nor a content security policy changes it.
 */
import { slotElements } from "./dom";
import type { Rule, Test, Told } from "./preview";

export type Acts = {
  /** Whether the visitor is somebody new, because this device holds nobody. */
  readonly isSomebody: boolean;
  /** Draws a variant, or none, where it is empty. */
  force(experiment: string, variant: string): void;
  leave(): void;
};

/** Draws what the edge said, or why it said nothing. */
export type Draw = (told: Told | string, forced: readonly string[]) => void;

const STYLE = `
:host { all: initial; color-scheme: only light; }
* { box-sizing: border-box; }
section { position: fixed; right: 16px; bottom: 16px; z-index: 2147483647; width: min(400px, calc(100vw - 32px));
  font: 14px/1.45 system-ui, sans-serif; color: #17211d; background: #fff; border: 1px solid #17211d; border-radius: 10px;
  box-shadow: 0 8px 30px rgb(0 0 0 / .25); overflow: hidden; display: flex; flex-direction: column; max-height: min(640px, calc(100vh - 32px)); }
button, select, summary { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid #0b5fbf; outline-offset: -3px; }
.bar { display: flex; gap: 8px; align-items: center; width: 100%; padding: 10px 14px; border: 0; background: #17211d; color: #fff;
  text-align: left; cursor: pointer; font-weight: 600; }
.bar:focus-visible { outline-color: #ffd75e; }
.bar span { margin-left: auto; font-weight: 400; }
.panel { overflow: auto; padding: 0 14px 12px; }
.panel[hidden] { display: none; }
h2 { font-size: 14px; margin: 0; } h2 + p { margin-top: 2px; }
p { margin: 8px 0; } article { border-top: 1px solid #d5dbd8; padding: 10px 0; }
.head { display: flex; justify-content: space-between; gap: 8px; align-items: baseline; }
.plain { border: 1px solid #17211d; background: #fff; border-radius: 6px; padding: 3px 9px; cursor: pointer; }
code { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 2px 0; } ul { margin: 4px 0; padding: 0; list-style: none; }
li { padding: 4px 0; } li ul { padding-left: 12px; }
.holds { color: #126136; } .fails { color: #a3271b; } .unknown { color: #5a4b00; }
.note { color: #47524d; } label { display: block; margin: 6px 0; } select { max-width: 100%; padding: 3px; background: #fff; }
@media (prefers-color-scheme: dark) { section { border-color: #8fa39a; } }
`;

/** Why a rule acts or does not, in words; a code that is not here stands for itself. */
const REASONS: { readonly [code: string]: string } = {
  won: "It is shown.",
  held: "It was shown before, and stays.",
  lower_priority: "Another rule of the slot comes first.",
  capped: "It was seen as often as its cap allows.",
  no_grant: "No impression of its cap is left to this device.",
  excluded_by_group: "Another rule of its group is shown.",
  paused: "It was stopped.",
  draft: "It is a draft.",
  no_purpose: "The visitor did not grant what it needs.",
  outside_schedule: "It is not its time.",
  suppressed_by: "Something suppresses it.",
  holdout: "The visitor is held out.",
  control: "The visitor is in the control: the slot keeps its fallback.",
  not_triggered: "Its moment has not come.",
  waits: "It waits before it acts.",
  emits: "It tells a destination, and shows nothing.",
  false: "Its condition does not hold.",
  unknown: "Something its condition asks for is not known.",
};

export function drawOverlay(acts: Acts): Draw {
  const host = document.createElement("selvedge-preview");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const summary = element("span", {});
  const bar = element("button", { class: "bar", type: "button", "aria-controls": "panel" }, "Preview", summary);
  const panel = element("div", { class: "panel", id: "panel", role: "group", "aria-label": "Slots" });
  const box = element("section", { "aria-label": "Selvedge preview" }, bar, panel);
  const unfold = (isOpen: boolean): void => {
    panel.hidden = !isOpen;
    bar.setAttribute("aria-expanded", `${isOpen}`);
  };
  bar.addEventListener("click", () => unfold(panel.hidden === true));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();
    unfold(false);
    bar.focus();
  });
  unfold(true);
  root.append(box);
  document.documentElement.append(host);
  return (told, forced) => {
    const isAnswer = typeof told !== "string";
    summary.textContent = isAnswer ? slotCount(told.decisions.length) : "shows nothing";
    const inside = isAnswer ? answered(told, forced, acts) : [element("p", { role: "alert" }, told)];
    redraw(root, panel, [...inside, leaveButton(acts)]);
  };
}

/** Puts the new inside in place, with what was open still open and the focus where it was. */
function redraw(root: ShadowRoot, panel: HTMLElement, inside: readonly Node[]): void {
  const open = Array.from(panel.querySelectorAll("details[open]"), ({ id }) => id);
  const focused = root.activeElement?.id;
  panel.replaceChildren(...inside);
  for (const id of open) root.getElementById(id)?.setAttribute("open", "");
  if (focused) root.getElementById(focused)?.focus();
}

function answered(told: Told, forced: readonly string[], acts: Acts): Node[] {
  const { expires } = told.preview;
  const until = expires ? `, until ${new Date(expires).toLocaleString("en")}` : "";
  const whose = acts.isSomebody ? "as somebody new would see it" : "as this device's visitor would see it";
  const note = `The page ${whose}${until}. Nothing is recorded.`;
  return [element("p", { class: "note" }, note), ...told.decisions.map((one) => slot(one, told, forced, acts))];
}

function slot(decision: Told["decisions"][number], { preview }: Told, forced: readonly string[], acts: Acts): Node {
  const name = decision.slot;
  const rules = preview.rules.filter((rule) => rule.slot === name);
  const find = element("button", { class: "plain", type: "button", id: `find-${name}`, "aria-label": `Find ${name} in the page` }, "Find");
  find.addEventListener("click", () => point(name));
  const parts: Node[] = [element("div", { class: "head" }, element("h2", {}, name), find), element("p", {}, ...standing(decision))];
  const near = preview.nearest.find((one) => one.slot === name);
  if (near) parts.push(element("p", {}, "Nearest: ", element("code", {}, near.rule), `, which lacks ${count(near.misses, "test")}.`));
  for (const variants of experiments(rules)) parts.push(choice(name, variants, forced, acts));
  if (rules.length) {
    const list = element("ul", {}, ...rules.map(ruleLine));
    parts.push(element("details", { id: `rules-${name}` }, element("summary", {}, `Why: ${count(rules.length, "rule")}`), list));
  }
  return element("article", {}, ...parts);
}

function standing({ rule, reason, detail = "", body }: Told["decisions"][number]): (Node | string)[] {
  const content = body ? [element("code", {}, body.id)] : ["what the page has"];
  if (!rule) return ["Shows ", ...content, ": no rule has the slot."];
  const variant = detail.includes("/") ? [", variant ", element("code", {}, detail)] : [];
  return ["Shows ", ...content, " by ", element("code", {}, rule), ...variant, `. ${REASONS[reason] ?? reason}`];
}

function ruleLine({ rule, reason, tests }: Rule): Node {
  return element("li", {}, element("code", {}, rule), ` ${REASONS[reason] ?? reason}`, element("ul", {}, ...tests.map(testLine)));
}

function testLine({ test, file, line, holds, value }: Test): Node {
  const [kind, sign] = holds === null ? ["unknown", "? not known"] : holds ? ["holds", "✓ holds"] : ["fails", "✗ fails"];
  const now = value === null || value === undefined ? "" : ` is ${JSON.stringify(value)}`;
  return element("li", {}, element("span", { class: kind }, sign), " ", element("code", {}, test), `${now} (${file}:${line})`);
}

/** The variants of each experiment among the rules, once. */
function experiments(rules: readonly Rule[]): (readonly string[])[] {
  const known = new Map(rules.flatMap(({ variants = [] }) => (variants[0] ? [[variants[0], variants] as const] : [])));
  return [...known.values()];
}

function choice(slot: string, variants: readonly string[], forced: readonly string[], acts: Acts): Node {
  const experiment = (variants[0] ?? "").split("/")[0] ?? "";
  const select = element("select", { id: `variant-${slot}-${experiment}` }, element("option", { value: "" }, "as it is drawn"));
  select.append(...variants.map((variant) => element("option", { value: variant }, variant)));
  select.value = variants.find((variant) => forced.includes(variant)) ?? "";
  select.addEventListener("change", () => acts.force(experiment, select.value));
  return element("label", {}, `Variant of ${experiment}: `, select);
}

function leaveButton({ leave }: Acts): Node {
  const button = element("button", { class: "plain", type: "button", id: "leave" }, "Leave the preview");
  button.addEventListener("click", leave);
  return button;
}

/** Brings a slot into view and outlines it for a moment. */
function point(slot: string): void {
  for (const found of slotElements(slot)) {
    found.scrollIntoView({ block: "center" });
    found.animate({ outline: ["4px solid #0b5fbf", "4px solid transparent"] }, { duration: 1_500 });
  }
}

function slotCount(slots: number): string {
  return count(slots, "slot");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: { readonly [name: string]: string },
  ...inside: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...inside);
  return made;
}
