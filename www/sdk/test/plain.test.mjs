// Plain delivery: what it says of the consent that each event was captured under.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { open } = await load("plain.ts");

/** A page without wasm, before the site's config came; what it sends. */
function page(device = new Map(), answer = {}) {
  const sent = [];
  const storage = {
    getItem: (key) => device.get(key) ?? null,
    setItem: (key, value) => device.set(key, value),
    removeItem: (key) => device.delete(key),
  };
  const global = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true });
  global("navigator", { language: "de", sendBeacon: (_, body) => sent.push(JSON.parse(body)) > 0 });
  global("document", { title: "Shop" });
  global("location", { href: "https://shop.test/" });
  // Keys are its own enumerable properties, as in a browser.
  const getOwnPropertyDescriptor = () => ({ enumerable: true, configurable: true });
  global("localStorage", new Proxy(storage, { ownKeys: () => [...device.keys()], getOwnPropertyDescriptor }));
  global("innerWidth", 1440);
  const shows = [];
  const lost = [];
  const edge = { status: 200 };
  global("fetch", async (_, { body }) => {
    sent.push(JSON.parse(body));
    return { ok: edge.status === 200, status: edge.status, json: async () => answer };
  });
  const boot = { data: { key: "wk", site: "shop", endpoint: "/" } };
  const heard = (kind, { count }) => kind === "lost" && lost.push(count);
  return { sink: open(boot, { heard, show: (show) => shows.push(show) }), sent, shows, lost, edge };
}

/** The events that say what was lost, once each however often they left: what they count. */
function told(sent) {
  const events = sent.flatMap(({ writer, events }) => events.map((event) => ({ ...event, id: `${writer}.${event.sequence}` })));
  const once = new Map(events.filter(({ name }) => name === "events_lost").map((event) => [event.id, event]));
  return [...once.values()].map(({ type, properties }) => ({ type, ...properties }));
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

const config = (consent) => ({ topology: 0, consent, policy_version: 1, clock: 0, program: null, publish: 0 });
const task = () => new Promise((resolve) => setTimeout(resolve));

test("where silence grants, the next page knows of a refusal", async () => {
  for (const order of ["before the config", "after the config"]) {
    const device = new Map();
    const first = page(device);
    if (order === "after the config") first.sink.settle(config("opt-out"));
    first.sink.consent(0, 14);
    if (order === "before the config") first.sink.settle(config("opt-out"));
    await task();
    assert.deepEqual([...device.keys()], ["selvedge.shop.consent"], order);
    const { sink, sent } = page(device);
    sink.page(1, "", {});
    sink.settle(config("opt-out"));
    sink.capture("track", "seen", 2, {}, false);
    sink.hidden();
    assert.deepEqual(sent, [], order);
    sink.consent(ANALYTICS, 0);
    sink.capture("track", "granted", 3, {}, false);
    sink.hidden();
    assert.deepEqual(sent.flatMap(({ events }) => events.map(({ name }) => name)), ["granted"], order);
  }
});

test("where silence grants nothing, an answer is not stored", async () => {
  const device = new Map();
  const { sink } = page(device);
  sink.settle(config("opt-in"));
  sink.consent(0, 14);
  sink.consent(ANALYTICS, 0);
  await task();
  assert.equal(device.size, 0);
});

test("the head reads the refusal that plain delivery stored", async () => {
  const device = new Map();
  const { sink } = page(device);
  sink.settle(config("opt-out"));
  sink.consent(0, 14);
  await task();
  const bytes = Buffer.from(device.get("selvedge.shop.consent"), "latin1");
  // Granted, denied, opt-out, no privacy control, said through the API, policy version; then the time.
  assert.deepEqual([...bytes.subarray(0, 6)], [0, 14, 1, 0, 1, 1]);
});

test("what stands in the markup stays text, and says what it reads as", () => {
  const { sink, sent } = page();
  sink.consent(ANALYTICS, 0);
  sink.capture("track", "seen", 1, { sku: "0042", value: "7.5" }, false, { value: 7.5 });
  sink.hidden();
  const [event] = sent[0].events;
  assert.deepEqual([event.properties, event.readings], [{ sku: "0042", value: "7.5" }, { value: 7.5 }]);
});

test("what may be seen no longer steps back before it counts", async () => {
  const body = { id: "banner", type: "text", fields: { text: "Hello" } };
  const decided = (slot) => ({ slot, rule: `${slot}-rule`, content: "banner", reason: "won", detail: "", body });
  const server_time_ms = 1_000_000;
  const granted = [
    { slot: "past", rule: "past-rule", until_ms: server_time_ms - 1 },
    { slot: "still", rule: "still-rule", until_ms: server_time_ms + 60_000 },
  ];
  const slots = ["past", "still", "uncapped"];
  const { sink, sent, shows } = page(new Map(), { decisions: slots.map(decided), granted, server_time_ms });
  sink.settle(config("opt-in"));
  sink.consent(ANALYTICS | PERSONALIZATION, 0);
  sink.page(1, "", {});
  sink.flush();
  await task();
  for (const slot of slots) {
    sink.inView(slot);
    sink.seen(slot);
  }
  sink.hidden();
  const told = shows.filter(({ slot }) => slot === "past").map(({ rule }) => rule);
  assert.deepEqual(told, ["past-rule", null]);
  const exposures = sent.flatMap(({ events }) => events).filter(({ type }) => type === "exposure");
  assert.deepEqual(exposures.map(({ properties }) => properties.slot), ["still", "uncapped"]);
});

test("what had no room is counted, and said by the next batch", async () => {
  const { sink, sent, lost } = page();
  for (let count = 0; count < 259; count++) sink.capture("track", "held", count, {}, false);
  assert.deepEqual(lost, [1, 2, 3]);
  sink.settle(config("opt-in"));
  const sendAll = async () => {
    for (let turn = 0; turn < 7; turn++) {
      sink.flush();
      await task();
    }
  };
  sink.consent(PERSONALIZATION, 0);
  await sendAll();
  assert.deepEqual(told(sent), [], "without analytics nobody is told");
  sink.consent(ANALYTICS, 0);
  sink.capture("track", "seen", 300, {}, false);
  await sendAll();
  assert.deepEqual(told(sent), [{ type: "track", count: 3 }]);
  sink.hidden();
  assert.deepEqual(told(sent), [{ type: "track", count: 3 }], "once");
});

test("what the edge refuses is told with the next event, and does not ask it again by itself", async () => {
  const { sink, sent, lost, edge } = page();
  sink.settle(config("opt-in"));
  sink.consent(ANALYTICS, 0);
  edge.status = 400;
  for (let count = 0; count < 4; count++) sink.capture("track", "seen", count, {}, false);
  sink.flush();
  await task();
  assert.deepEqual(lost, [4]);
  const requests = sent.length;
  sink.flush();
  await task();
  assert.equal(sent.length, requests, "nothing waits but what would say it");
  edge.status = 200;
  sink.capture("track", "seen", 9, {}, false);
  sink.flush();
  await task();
  assert.deepEqual(told(sent), [{ type: "track", count: 4 }]);
  const [event, loss] = sent.at(-1).events;
  assert.deepEqual([event.time, loss.time, loss.sequence], [9, 9, event.sequence + 1]);
});

test("a page that leaves says what was lost", async () => {
  const { sink, sent, edge } = page();
  sink.settle(config("opt-in"));
  sink.consent(ANALYTICS, 0);
  edge.status = 422;
  sink.capture("track", "seen", 1, {}, false);
  sink.flush();
  await task();
  sink.hidden();
  assert.deepEqual(told(sent), [{ type: "track", count: 1 }]);
});

test("where the site wants no word of losses, none is sent", async () => {
  const { sink, sent, lost } = page();
  sink.settle({ ...config("opt-in"), capture: [["loss", "off"]] });
  for (let count = 0; count < 300; count++) sink.capture("track", "held", count, {}, false);
  sink.consent(ANALYTICS, 0);
  sink.hidden();
  assert.equal(lost.at(-1), 44);
  assert.deepEqual(told(sent), []);
});

test("what waits of an erased visitor is lost, and the next visitor says so", async () => {
  const answer = { refused: [] };
  const { sink, sent, lost } = page(new Map(), answer);
  sink.settle(config("opt-in"));
  sink.consent(ANALYTICS, 0);
  for (let count = 0; count < 60; count++) sink.capture("track", "seen", count, {}, false);
  answer.refused = [{ sequence: 1, code: "erased" }];
  sink.flush();
  await task();
  assert.deepEqual(lost, [10]);
  answer.refused = [];
  sink.capture("track", "after", 99, {}, false);
  sink.flush();
  await task();
  assert.deepEqual(told(sent), [{ type: "track", count: 10 }]);
  assert.notEqual(sent.at(-1).visitor, sent[0].visitor);
});

test("what was granted to a page view is not seen in the next before that is answered", async () => {
  const body = { id: "banner", type: "text", fields: { text: "Hello" } };
  const slots = ["capped", "uncapped"];
  const decisions = slots.map((slot) => ({ slot, rule: `${slot}-rule`, reason: "won", detail: "", body }));
  const granted = [{ slot: "capped", rule: "capped-rule", until_ms: 60_000 }];
  const { sink, sent } = page(new Map(), { decisions, granted, server_time_ms: 0 });
  const look = () => {
    for (const slot of slots) {
      sink.inView(slot);
      sink.seen(slot);
    }
  };
  const seen = () => {
    sink.hidden();
    const all = new Map(sent.flatMap(({ events }) => events).map((event) => [event.sequence, event]));
    return [...all.values()].filter(({ type }) => type === "exposure").map(({ properties }) => properties.slot);
  };
  sink.settle(config("opt-in"));
  sink.consent(ANALYTICS | PERSONALIZATION, 0);
  await task();
  sink.page(1, "", {});
  sink.flush();
  // The answer to this view comes in the next one: of what it was granted nothing is there any more.
  sink.page(2, "", {});
  await task();
  look();
  assert.deepEqual(seen(), []);
  sink.flush();
  await task();
  look();
  assert.deepEqual(seen(), ["capped", "uncapped"], "the answer to this view grants anew");
  // What was seen needs its grant no longer, and answers do not name it.
  granted.length = 0;
  sink.flush();
  await task();
  sink.page(3, "", {});
  look();
  assert.deepEqual(seen(), ["capped", "uncapped", "uncapped"]);
});
