// The stub: what it asks for at once, and how.
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { compile } from "./bundle.mjs";

test("the config is never from a cache, and nothing goes with cookies", async () => {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push([url, options]);
    return {};
  };
  const script = { src: "https://cdn.test/selvedge/v1/loader.js", dataset: { site: "shop", key: "wk" } };
  const page = { document: { currentScript: script }, fetch, URL };
  page.window = page;
  vm.runInNewContext(await compile("loader.ts", "loader"), page, { importModuleDynamically: () => ({}) });
  assert.ok(asked.every(([, { credentials }]) => credentials === "omit"));
  const config = asked.find(([url]) => url === "https://cdn.test/s/shop/config");
  assert.equal(config[1].cache, "no-store");
});
