// Plain delivery: what it says of the consent that each event was captured under.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { open } = await load("plain.ts");

/** A page without wasm, before the site's config came; what it sends. */
function page() {
  const sent = [];
  const global = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true });
  global("navigator", { language: "de", sendBeacon: (_, body) => sent.push(JSON.parse(body)) > 0 });
  global("document", { title: "Shop" });
  global("location", { href: "https://shop.test/" });
  global("innerWidth", 1440);
  global("fetch", async (_, { body }) => {
    sent.push(JSON.parse(body));
    return { ok: true, status: 200, json: async () => ({}) };
  });
  const boot = { data: { key: "wk", endpoint: "/" } };
  return { sink: open(boot, { heard: () => {}, show: () => {} }), sent };
}

const ANALYTICS = 2;
const PERSONALIZATION = 4;

test("an event keeps the consent that it was captured under", () => {
  const { sink, sent } = page();
  sink.capture("track", "held", 1, {}, false);
  sink.consent(ANALYTICS, 0);
  sink.capture("track", "under_analytics", 2, {}, false);
  sink.consent(PERSONALIZATION, 0);
  sink.capture("track", "under_both", 3, {}, false);
  sink.hidden();
  const [{ consent, events }] = sent;
  const granted = events.map((event) => consent[event.consent].granted);
  assert.deepEqual(consent[0].granted, ["analytics", "personalization"]);
  assert.deepEqual(granted, [["analytics"], ["analytics"], ["analytics", "personalization"]]);
});

test("a logout loses nothing that waits", () => {
  const { sink, sent } = page();
  sink.consent(ANALYTICS, 0);
  for (let count = 0; count < 60; count++) sink.capture("track", "seen", count, {}, false);
  sink.reset();
  assert.equal(sent.flatMap(({ events }) => events).length, 60);
  sink.capture("track", "after", 99, {}, false);
  sink.hidden();
  assert.notEqual(sent.at(-1).visitor, sent[0].visitor);
});
