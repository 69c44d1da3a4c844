// The console: signs in, follows the log, and shows it.

import { effect } from "@preact/signals";
import { render } from "preact";
import { follow } from "./live.js";
import { api, restoreToken } from "./session.js";
import { watchTheme } from "./theme.js";
import { App } from "./views/app.js";
import { watchVisitor } from "./visitor.js";

restoreToken();
watchTheme();
watchVisitor();
effect(() => {
  const worker = api.value;
  if (worker === undefined) return;
  const controller = new AbortController();
  follow(worker, controller.signal);
  return () => controller.abort();
});

const root = document.querySelector("#app");
if (root !== null) render(<App />, root);
