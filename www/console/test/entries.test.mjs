// What the console makes of the worker's lines: entries, filters, rates, exact JSON.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { members, pretty } = await load("json_text.ts");
const { Lines } = await load("lines.ts");
const { accepted, refused } = await load("entry.ts");
const { matches, wordsOf } = await load("filter.ts");
const { Rate, SECONDS } = await load("rate.ts");
const { waitMs } = await load("backoff.ts");
const { keptOf } = await load("visitor.ts");

const LINE = '{"cursor":"0.1","id":"e1","visitor":"00ab","type":"track","name":"product_view","time_ms":1700000000001,'
  + '"received_at_ms":1700000000100,"source":"web","trust":"client","late":false,"clock_off":false,"purposes":["analytics"],'
  + '"context":{},"properties":{"order":9007199254740993,"text":"a \\"quoted\\" {brace}, ok","lat":52.5200066},'
  + '"decisions":[{"slot":"hero","rule":"free","content":"banner","reason":"won","detail":""}],"sequence":3}';

test("the members of an object are its own text, digit by digit", () => {
  const found = members(LINE);
  assert.equal(found.get("properties"), '{"order":9007199254740993,"text":"a \\"quoted\\" {brace}, ok","lat":52.5200066}');
  assert.equal(found.get("cursor"), '"0.1"');
  assert.equal(found.get("sequence"), "3");
  assert.equal(found.size, Object.keys(JSON.parse(LINE)).length);
});

test("what is no object has no members", () => {
  for (const text of ["", "[1,2]", '"{}"', "7", "{", "{}", "}{"]) assert.equal(members(text).size, 0, text);
});

test("indenting changes spaces only", () => {
  for (const text of [LINE, "{}", "[]", '{"a":[],"b":{},"c":[{"d":[1,-2.5e-7,true,null]}]}', '"text"', "12345678901234567890"]) {
    const shown = pretty(text).map((token) => token.text).join("");
    assert.deepEqual(JSON.parse(shown), JSON.parse(text));
    assert.equal(shown.replace(/\n */g, "").replaceAll('": ', '":'), text);
  }
  const shown = pretty('{"a":[1,{"b":[]}]}').map((token) => token.text).join("");
  assert.equal(shown, JSON.stringify({ a: [1, { b: [] }] }, null, 2));
});

test("lines come whole, however the pieces are cut", () => {
  const bytes = new TextEncoder().encode("one\n\ntwo ö\nthree\nrest");
  for (let size = 1; size < bytes.length; size++) {
    const lines = new Lines();
    const found = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...lines.push(bytes.subarray(at, at + size)));
    assert.deepEqual(found, ["one", "two ö", "three"]);
  }
});

test("a log line is an accepted entry", () => {
  const entry = accepted(LINE);
  assert.equal(entry.name, "product_view");
  assert.equal(entry.receivedMs, 1_700_000_000_100);
  assert.deepEqual(entry.decisions, [{ slot: "hero", rule: "free", content: "banner", reason: "won", detail: "" }]);
  assert.equal(entry.raw.get("properties").includes("9007199254740993"), true);
});

test("a quarantine line is a refused entry with its event's parts", () => {
  const entry = refused('{"cursor":"0.2","code":"wrong_type","faults":[{"path":"/sku","message":"sku is a number"}],"visitor":"00cd","sequence":4,'
    + '"received_at_ms":5,"event":{"type":"track","name":"product_view","time_ms":4,"properties":{"sku":1},"context":{}}}');
  assert.deepEqual([entry.name, entry.code, entry.timeMs], ["product_view", "wrong_type", 4]);
  assert.deepEqual(entry.faults, [{ path: "/sku", message: "sku is a number" }]);
  assert.equal(entry.raw.get("properties"), '{"sku":1}');
});

test("an event that could not be read is told by its code", () => {
  const entry = refused('{"cursor":"0.3","code":"undecodable","faults":[],"visitor":"00cd","received_at_ms":5,"bytes":"AAE="}');
  assert.deepEqual([entry.name, entry.timeMs, entry.code], ["unreadable", 5, "undecodable"]);
});

test("what is no line is no entry", () => {
  for (const text of ["", "{", "null", "[]", "7", '{"name":"x"}']) assert.equal(accepted(text), undefined, text);
});

test("a filter finds every word, in name, visitor or decision", () => {
  const entry = accepted(LINE);
  for (const text of ["", "PRODUCT", "00ab view", "hero", "banner free"]) assert.equal(matches(entry, "all", wordsOf(text)), true, text);
  assert.equal(matches(entry, "all", wordsOf("product nothing")), false);
  assert.equal(matches(entry, "refused", []), false);
  assert.equal(matches(entry, "decisions", []), true);
});

test("the rate forgets what is older than its window", () => {
  const rate = new Rate();
  const now = 1_700_000_000_000;
  rate.count(now, "accepted");
  rate.count(now, "refused");
  rate.count(now - 5_000, "accepted");
  rate.count(now - 1_000_000, "accepted");
  const last = rate.last(now);
  assert.equal(last.length, SECONDS);
  assert.deepEqual([last.at(-1).accepted, last.at(-1).refused, last.at(-6).accepted], [1, 1, 1]);
  assert.equal(last.reduce((sum, second) => sum + second.accepted, 0), 2);
  assert.equal(rate.last(now + SECONDS * 1_000).reduce((sum, second) => sum + second.accepted, 0), 0);
});

test("waiting doubles, keeps its bounds, and never is nothing", () => {
  for (let attempt = 0; attempt < 40; attempt++) {
    for (const random of [0, 0.5, 0.999]) {
      const ms = waitMs(attempt, random);
      assert.ok(ms >= 250 && ms <= 15_000, `${attempt}: ${ms}`);
    }
  }
  assert.ok(waitMs(5, 0) > waitMs(0, 0.999));
});

test("a visitor of whom nothing is kept has empty tables", () => {
  const kept = keptOf({ visitor: "00", session: null, pages: [], decisions: [] });
  assert.deepEqual([kept.sessionNumber, kept.bytes, kept.sessionFacts, kept.candidates], [0, 0, [], []]);
});

test("a line hints at what its event says", () => {
  const hints = [
    [{ path: "/cart", title: "Cart" }, "/cart"],
    [{ metric: "LCP", value: 280 }, "LCP"],
    [{ form: "newsletter", field: "email" }, "newsletter"],
    [{ element: "button#buy", clicks: 3 }, "button#buy"],
    [{ percent: 75 }, "75 %"],
    [{ duration_ms: 3456 }, "3.5 s"],
    [{ value: 3 }, ""],
  ];
  for (const [properties, hint] of hints) {
    assert.equal(accepted(JSON.stringify({ ...JSON.parse(LINE), properties })).hint, hint);
  }
});
