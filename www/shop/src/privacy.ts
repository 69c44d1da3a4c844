// The privacy question: what the visitor allows, asked once, changed any time from the footer.

import { html, render } from "./markup.js";
import { tellConsent, type Choice } from "./selvedge.js";
import { remember, remembered } from "./storage.js";

const NOTHING: Choice = { analytics: false, personalization: false, advertising: false };
const EVERYTHING: Choice = { analytics: true, personalization: true, advertising: true };

const PURPOSES = [
  ["analytics", "Measuring", "Which shelves are visited, and where people get stuck."],
  ["personalization", "Personal shop", "Hints and offers that fit what you looked at."],
  ["advertising", "Advertising", "Measuring our ads, and showing you fewer wrong ones."],
] as const;

const isChoice = (value: unknown): value is Choice =>
  typeof value === "object" && value !== null && PURPOSES.every(([purpose]) => typeof (value as Record<string, unknown>)[purpose] === "boolean");

/** The visitor's answer, if there is one. */
export function answer(): Choice | undefined {
  return remembered<Choice | undefined>("privacy", undefined, (value): value is Choice => isChoice(value));
}

/** Repeats a remembered answer to Selvedge, or asks. */
export function startPrivacy(): void {
  const given = answer();
  if (given === undefined) ask();
  else tellConsent(given);
}

/** Opens the question, with the answer so far. */
export function ask(isChoosing = false): void {
  const panel = document.querySelector<HTMLElement>("#privacy");
  if (panel === null) return;
  render(panel, question(answer() ?? NOTHING, isChoosing));
  panel.hidden = false;
  panel.onclick = (event) => pressed(panel, event);
  panel.onkeydown = (event) => {
    if (event.key === "Escape" && answer() !== undefined) close(panel);
  };
  if (isChoosing) panel.querySelector<HTMLElement>("h2")?.focus();
}

function pressed(panel: HTMLElement, event: MouseEvent): void {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-consent]") : null;
  if (button === null) return;
  switch (button.dataset["consent"]) {
    case "all":
      return settle(panel, EVERYTHING);
    case "necessary":
      return settle(panel, NOTHING);
    case "save":
      return settle(panel, chosen(panel));
    case "choose":
      return ask(true);
  }
}

function chosen(panel: HTMLElement): Choice {
  const isOn = (purpose: string): boolean => panel.querySelector<HTMLInputElement>(`input[name="${purpose}"]`)?.checked === true;
  return { analytics: isOn("analytics"), personalization: isOn("personalization"), advertising: isOn("advertising") };
}

function settle(panel: HTMLElement, choice: Choice): void {
  remember("privacy", choice);
  tellConsent(choice);
  close(panel);
}

function close(panel: HTMLElement): void {
  panel.hidden = true;
  panel.replaceChildren();
}

function question(choice: Choice, isChoosing: boolean) {
  return html`
    <div class="privacy-card" role="dialog" aria-labelledby="privacy-title" aria-describedby="privacy-text">
      <h2 id="privacy-title" tabindex="-1">May we look over your shoulder?</h2>
      <p id="privacy-text">The shop works without it. With your permission we learn which shelves help, and show you what fits. <a href="/privacy">What we keep, and for how long</a></p>
      ${isChoosing && purposes(choice)}
      <div class="privacy-buttons">
        ${isChoosing
          ? html`<button class="button primary" type="button" data-consent="save">Save my choice</button>`
          : html`<button class="button quiet" type="button" data-consent="choose">Choose</button>`}
        <button class="button" type="button" data-consent="necessary">Only necessary</button>
        <button class="button" type="button" data-consent="all">Accept all</button>
      </div>
    </div>`;
}

function purposes(choice: Choice) {
  const isRefused = (purpose: string): boolean => purpose === "advertising" && refusesSale();
  return html`<fieldset class="purposes">
    <legend class="visually-hidden">Purposes</legend>
    <label class="purpose"><input type="checkbox" class="switch" checked disabled /><span><strong>Necessary</strong><small>Cart, checkout and this answer.</small></span></label>
    ${PURPOSES.map(([purpose, name, why]) => html`
      <label class="purpose">
        <input type="checkbox" class="switch" name="${purpose}" ${choice[purpose] && !isRefused(purpose) && html`checked`} ${isRefused(purpose) && html`disabled`} />
        <span><strong>${name}</strong><small>${isRefused(purpose) ? "Off: your browser sends Global Privacy Control." : why}</small></span>
      </label>`)}
  </fieldset>`;
}

function refusesSale(): boolean {
  return (navigator as { globalPrivacyControl?: unknown }).globalPrivacyControl === true;
}
