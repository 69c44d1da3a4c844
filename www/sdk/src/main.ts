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
  const strings = (): Promise<Response> => module("strings");
  const rules: Parts["rules"] = async () => {
    const source = module("rules");
    source.catch(() => {});
    const engine: typeof import("./rules") = await import(`${base}rules.js`);
    return engine.open(source);
  };
  const [consent, extras, identity, plain] = [part("consent"), part("extras"), part("identity"), part("plain")];
  const [preview, slots] = [part("preview"), part("slots")];
  void open(stub, boot, { consent, extras, identity, plain, preview, rules, slots, strings });
}
