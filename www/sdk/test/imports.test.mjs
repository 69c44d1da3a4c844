// Imports under short names: the module runs as before, and only its names are others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shorten } from "../imports.mjs";

/** Imports `./host.js` `double` (i32 -> i32); exports `twice`, which calls it twice. */
const MODULE = Buffer.from(
  "0061736d01000000" + // magic, version
    "010601" + "60017f017f" + // (i32) -> i32
    "021401" + "09" + Buffer.from("./host.js").toString("hex") + "06" + Buffer.from("double").toString("hex") + "0000" +
    "03020100" + // one function
    "070901" + "05" + Buffer.from("twice").toString("hex") + "0001" +
    "0a0a01" + "0800200010001000" + "0b",
  "hex",
);

test("the module runs under its new names, which are shorter", () => {
  const { module, script } = shorten(MODULE);
  assert.match(script, /import \{ double as a \} from "\.\/host\.js";\nexport const imports = \{ a: \{ a \} \};/);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { a: { a: (number) => number * 2 } });
  assert.equal(exports.twice(3), 12);
  assert.ok(module.length < MODULE.length);
});

test("what is no module is told", () => {
  assert.throws(() => shorten(Buffer.from("no module")));
});
