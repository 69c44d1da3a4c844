// The stub: what it asks for at once, and how.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import vm from "node:vm";
import { compile, load } from "./bundle.mjs";

test("the config is never from a cache, and nothing goes with cookies", async () => {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push([url, options]);
    return {};
  };
  const script = { src: "https://cdn.test/selvedge/v1/loader.js", dataset: { site: "shop", key: "wk" } };
  const page = { document: { currentScript: script }, fetch, URL, addEventListener() {} };
  page.window = page;
  vm.runInNewContext(await compile("loader.ts", "loader"), page, { importModuleDynamically: () => ({}) });
  assert.ok(asked.every(([, { credentials }]) => credentials === "omit"));
  const config = asked.find(([url]) => url === "https://cdn.test/s/shop/config?reads=1");
  assert.equal(config[1].cache, "no-store");
});

test("the form of programs that it says it reads is the engine's", async () => {
  const { PROGRAM_FORM } = await load("versions.ts");
  const layout = await readFile(new URL("../../../crates/selvedge-core/src/wire/program/layout.rs", import.meta.url), "utf8");
  const [, form] = /MAGIC: &\[u8; 4\] = b"SVP\\x(\w\w)"/.exec(layout);
  assert.equal(PROGRAM_FORM, parseInt(form, 16));
});
