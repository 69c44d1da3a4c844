// The page before the token is known.

import { refusal, signIn } from "../session.js";
import { Icon } from "./icon.js";

/** Asks for the admin token. */
export function SignIn() {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get("token");
    if (typeof given === "string" && given.trim() !== "") signIn(given);
  };
  return (
    <main class="sign-in">
      <form class="sign-in-card" onSubmit={submit}>
        <p class="brand"><Icon name="brand" />Selvedge</p>
        <h1>Sign in</h1>
        <p class="soft">Live events, decisions and their reasons. For those who run this worker.</p>
        {refusal.value !== "" && <p class="alert" role="alert">{refusal.value}</p>}
        <label class="field"><span>Admin token</span><input name="token" type="password" autocomplete="off" spellcheck={false} autofocus required /></label>
        <button class="button primary">Sign in</button>
        <p class="soft small"><code>cargo xtask dev</code> prints it when it is ready. It stays in this tab.</p>
      </form>
    </main>
  );
}
