// Light or dark: as the system says, unless chosen here.

import { effect, signal } from "@preact/signals";

const KEY = "selvedge.theme";
const THEMES = ["auto", "light", "dark"] as const;

/** One of the choices. */
export type Theme = (typeof THEMES)[number];

/** The choice. */
export const theme = signal<Theme>(THEMES.find((known) => known === localStorage.getItem(KEY)) ?? "auto");

/** Follows the choice on the document. */
export function watchTheme(): void {
  effect(() => {
    localStorage.setItem(KEY, theme.value);
    if (theme.value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}

/** Goes to the next choice. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
}
