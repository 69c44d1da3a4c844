// Whose queue a page sends: its own, and those of pages that are gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadTogether } from "./bundle.mjs";

const task = () => new Promise((resolve) => setTimeout(resolve));

/** The module in a page of a device that holds these records. */
async function page(records) {
  const global = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true });
  const device = new Map(Object.entries(records).map(([key, value]) => [`selvedge.shop.${key}`, value]));
  const reads = [];
  const storage = {
    getItem: (key) => (reads.push(key), device.get(key) ?? null),
    setItem: (key, value) => device.set(key, value),
    removeItem: (key) => device.delete(key),
  };
  const getOwnPropertyDescriptor = () => ({ enumerable: true, configurable: true });
  const ownKeys = () => (reads.push("keys"), [...device.keys()]);
  global("navigator", {});
  global("localStorage", new Proxy(storage, { ownKeys, getOwnPropertyDescriptor }));
  const locks = await loadTogether("locks", "storage");
  locks.openStorage("shop", false);
  const adopted = [];
  locks.onAdopted((entries) => adopted.push(...entries.map(([key]) => key)));
  reads.length = 0;
  return { ...locks, adopted, reads };
}

test("a page that captures nothing takes over what others left, once the device may be read", async () => {
  const { takeOver, open, adopted, reads } = await page({ "w.1": "", "q.1.1": "", consent: "" });
  void takeOver();
  await task();
  assert.deepEqual([adopted, reads], [[], []], "nothing is read before");
  open();
  await task();
  assert.deepEqual(adopted, ["w.1", "q.1.1"]);
});

test("a page takes over nothing twice, and not its own", async () => {
  const { hold, open, adopted } = await page({ "w.1": "", "q.1.1": "", "w.2": "", "q.2.1": "" });
  open();
  await task();
  adopted.length = 0;
  hold("2");
  await task();
  assert.deepEqual(adopted, []);
});
