/** The client of the script tag. */
import { open, type Parts } from "./client";
import type { Stub } from "./stub";

const stub = window.selvedge as Stub | undefined;
const boot = stub?.boot;
if (stub && boot) {
  const { base } = boot;
  const part =
    <Name extends "consent" | "extras" | "identity" | "plain" | "preview" | "slots">(name: Name): Parts[Name] =>
    () =>
      import(`${base}${name}.js`);
  const module = (name: string): Promise<Response> => fetch(`${base}${name}.wasm`, { credentials: "omit" });
  void open(stub, boot, {
    consent: part("consent"),
    extras: part("extras"),
    identity: part("identity"),
    later: () => module("later"),
    plain: part("plain"),
    preview: part("preview"),
    slots: part("slots"),
    strings: () => module("strings"),
    rules: async () => {
      const source = module("rules");
      source.catch(() => {});
      const engine: typeof import("./rules") = await import(`${base}rules.js`);
      return engine.open(source);
    },
  });
}
