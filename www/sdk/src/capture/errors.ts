/** Errors of the page's scripts: what went wrong and where, without the values that stand in messages. */
import { hear, type Watcher } from "./page";

const ERRORS_MAX = 10;
const MESSAGE_LENGTH_MAX = 200;

export const errors: Watcher = (page) => {
  let told = new Set<string>();
  const tell = (kind: string, message: string, filename = "", line = 0, column = 0): void => {
    const source = filename.split(/[?#]/, 1)[0] ?? "";
    const cleaned = withoutValues(message).slice(0, MESSAGE_LENGTH_MAX);
    const key = [kind, cleaned, source, line].join();
    if (told.has(key) || told.size >= ERRORS_MAX) return;
    told.add(key);
    page.say("js_error", { column, kind, line, message: cleaned, source });
  };
  hear(["error"], ({ message, filename, lineno, colno }) => {
    // Of other hosts' scripts nothing is said, and what did not load is no error event.
    if (message && filename) tell("error", message, filename, lineno, colno);
  });
  hear(["unhandledrejection"], ({ reason }) => {
    // What is thrown besides errors may be data.
    tell("rejection", reason instanceof Error ? `${reason.name}: ${reason.message}` : typeof reason);
  });
  page.turn(() => (told = new Set()));
};

/** Texts in quotes, addresses and numbers may be somebody's. */
function withoutValues(message: string): string {
  return message.replace(/"[^"]*"|'[^']*'|`[^`]*`|\b\w+:\/\/\S+/g, "…").replace(/\d+/g, "0");
}
