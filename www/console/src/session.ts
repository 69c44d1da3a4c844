// Who is signed in: the admin token, for as long as the tab lives.

import { computed, signal } from "@preact/signals";
import { Api } from "./api.js";

const KEY = "selvedge.admin_token";

/** The admin token; empty where nobody is signed in. */
export const token = signal("");

/** Why the last token was not taken. */
export const refusal = signal("");

/** The worker as the signed-in admin sees it. */
export const api = computed(() => (token.value === "" ? undefined : new Api(token.value)));

/** Takes the token from `#token=`, which leaves the address, or from the tab's storage. */
export function restoreToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    history.replaceState(null, "", location.pathname + location.search);
    signIn(given);
    return;
  }
  token.value = sessionStorage.getItem(KEY) ?? "";
}

/** Signs in. */
export function signIn(text: string): void {
  refusal.value = "";
  token.value = text.trim();
  sessionStorage.setItem(KEY, token.value);
}

/** Signs out; `why` is told on the sign-in page. */
export function signOut(why = ""): void {
  sessionStorage.removeItem(KEY);
  token.value = "";
  refusal.value = why;
}
