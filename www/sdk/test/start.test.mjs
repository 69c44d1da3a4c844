// What keeps a page's start short, on the scripts and modules as they travel (dist/).
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const dist = new URL("../dist/", import.meta.url);
/** The id of a module's section that lists its functions. */
const FUNCTIONS = 3;
const HEADER_BYTES = 8;

/** How many functions a module has of its own. */
function functionsOf(bytes) {
  let at = HEADER_BYTES;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const length = number();
    if (id === FUNCTIONS) return number();
    at += length;
  }
  return 0;
}

test("browsers are told to compile whole the scripts that come behind the loader, off the main thread", async () => {
  const scripts = (await readdir(dist)).filter((file) => file.endsWith(".js") && file !== "loader.js");
  assert.ok(scripts.length >= 8);
  for (const file of scripts) {
    assert.match(await readFile(new URL(file, dist), "utf8"), /^\/\/# allFunctionsCalledOnLoad\n/, file);
  }
});

test("the head has few functions: each is compiled on the main thread when it is first called", async () => {
  for (const [file, most] of [["selvedge.wasm", 245], ["later.wasm", 75]]) {
    const count = functionsOf(await readFile(new URL(file, dist)));
    assert.ok(count > 0 && count <= most, `${file}: ${count} functions`);
  }
});
