/** Reads the strings of the IAB by a wasm module of their own, and tells what they say behind all that was told before. */
import { __wbg_set_wasm, read } from "../../generated/strings_bg.js";
import { imports } from "../../generated/strings-imports.js";
import { ASKS, SAYS, type Say, type Sources } from "./sources";

/** Analytics, personalization and advertising, as crates/selvedge-core/src/consent/tcf.rs has it. */
const ASKED = [0x381, 0x31, 0x4f];

/** As {@link Say}; of GPP with the sections that apply. */
export type SayString = (source: number, what: number, text?: string, sections?: readonly number[]) => void;

/** Where the module cannot be had, nobody knows what a string says: what was granted rests. */
export function readingStrings({ vendor = 0, asked = ASKED }: Sources, module: Promise<Response>, say: Say): SayString {
  const [analytics = 0, personalization = 0, advertising = 0] = asked;
  const ready = start(module);
  ready.catch(() => {});
  return async (source, what, text = "", sections = []) => {
    let said: number | undefined;
    try {
      await ready;
      const bytes = new TextEncoder().encode(text);
      said = read(source, bytes, Uint8Array.from(sections), vendor, analytics, personalization, advertising);
    } catch {
      // Nobody knows what it says.
    }
    if (what !== SAYS) say(source, what);
    else if (said === undefined) say(source, ASKS);
    else say(source, SAYS, said & 0xffff, said >>> 16, text);
  };
}

async function start(module: Promise<Response>): Promise<void> {
  const { instance } = await WebAssembly.instantiate(await (await module).arrayBuffer(), imports);
  __wbg_set_wasm(instance.exports);
}
