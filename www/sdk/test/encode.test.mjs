// The page's encoder. Its bytes are kept as a fixture, which crates/selvedge-client/tests/encoder.rs reads with the edge's
// decoder: so both sides are held to the same values. `UPDATE=1` writes the fixture anew.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { values } from "./values.mjs";

const FIXTURE = new URL("../../../crates/selvedge-client/tests/fixtures/encoded.json", import.meta.url);
const { Writer } = await load("encode.ts");
const { Reader } = await load("decode.ts");

/** What was written after the time and the kind. */
function written(write) {
  const empty = new Writer(0).done().length;
  const writer = new Writer(0);
  write(writer);
  return Buffer.from(writer.done().subarray(empty));
}

test("every value is written as the fixture says, and the edge's decoder reads that", async () => {
  const encoded = values.map(({ sent, read }) => ({ bytes: written((writer) => writer.map(sent)).toString("hex"), read }));
  if (process.env.UPDATE) {
    await writeFile(FIXTURE, `[\n${encoded.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
  }
  assert.deepEqual(encoded, JSON.parse(await readFile(FIXTURE, "utf8")));
});

test("a value that holds itself ends", () => {
  const loop = {};
  loop.self = loop;
  assert.ok(written((writer) => writer.map({ loop })).length < 1_000);
});

test("what a writer wrote, a reader reads", () => {
  const bytes = written((writer) => writer.u8(7).varint(0).varint(127).varint(128).varint(2 ** 52 + 1).text("👟"));
  const reader = new Reader(bytes);
  assert.equal(reader.u8(), 7);
  for (const number of [0, 127, 128, 2 ** 52 + 1]) assert.equal(reader.varint(), number);
  assert.equal(reader.text(), "👟");
});
