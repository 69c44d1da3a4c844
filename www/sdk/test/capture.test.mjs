// What a click on marked-up elements says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

class Element {
  constructor(dataset) {
    this.dataset = dataset;
  }
  matches(selector) {
    return selector === "[data-selvedge-event]";
  }
}
globalThis.Element = Element;
globalThis.location = { href: "https://shop.test/" };
const { clicked } = await load("capture.ts");

test("properties are as they are written, with what they read as", () => {
  const said = [];
  const dataset = {
    selvedgeEvent: "add_to_cart",
    selvedgePropertySku: "1001",
    selvedgePropertyUnitPrice: "14.9",
    selvedgePropertyGift: "true",
    selvedgePropertyZip: "01067",
    selvedgePropertyNote: "Infinity",
  };
  clicked([new Element(dataset)], { click: (...parameters) => said.push(parameters) });
  const [[name, properties, readings]] = said;
  assert.equal(name, "add_to_cart");
  assert.deepEqual(properties, { sku: "1001", unit_price: "14.9", gift: "true", zip: "01067", note: "Infinity" });
  assert.deepEqual(readings, { sku: 1001, unit_price: 14.9, gift: true });
});

test("a click inside of a slot is one on what its rule shows, or puts it away", () => {
  const said = [];
  const inside = (...selectors) => {
    const element = new Element({ selvedgeSlot: "hero" });
    element.matches = (selector) => selectors.includes(selector);
    return [element];
  };
  const sight = { act: (...parameters) => said.push(parameters), notice: () => {} };
  clicked(inside("[data-selvedge-slot]", "a[href],button"), sight);
  clicked(inside("[data-selvedge-slot]", "a[href],button", "[data-selvedge-dismiss]"), sight);
  clicked(inside("[data-selvedge-slot]"), sight);
  clicked(inside("a[href],button"), sight);
  assert.deepEqual(said, [["exposure_click", "hero"], ["exposure_dismiss", "hero"]]);
});
