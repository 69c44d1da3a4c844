// The order and the bound of the live list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { ENTRIES_MAX, merged } = await load("live.ts");
const entry = (receivedMs, visitor, sequence) => ({ receivedMs, visitor, sequence });

test("the newest stands first, and one visitor's batch in the order of its writer", () => {
  const list = merged([entry(5, "a", 1)], [entry(7, "b", 1), entry(7, "a", 2), entry(7, "a", 3), entry(6, "c", 9)]);
  assert.deepEqual(list.map((one) => `${one.receivedMs}${one.visitor}${one.sequence}`), ["7b1", "7a3", "7a2", "6c9", "5a1"]);
});

test("the list forgets its oldest entries above the bound", () => {
  let list = [];
  for (let at = 0; at < ENTRIES_MAX + 300; at += 100) list = merged(list, Array.from({ length: 100 }, (_, index) => entry(at + index, "a", at + index)));
  assert.equal(list.length, ENTRIES_MAX);
  assert.equal(list[0].receivedMs, ENTRIES_MAX + 299);
});
