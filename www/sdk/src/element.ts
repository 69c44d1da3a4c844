/** What elements say of themselves: their text, and the properties that stand in their markup. Never what was typed. */

/** Properties as they stand in the markup. */
export type Texts = Record<string, string>;
/** What those of them are that are written as a number or a boolean. */
export type Readings = Record<string, number | boolean>;

const PRIVATE = "[data-selvedge-private]";
const PROPERTY = "selvedgeProperty";
const TEXT_LENGTH_MAX = 100;

/** The elements that an event passes, from the innermost, also those of open shadow trees. */
export function elementsOf(path: readonly EventTarget[]): HTMLElement[] {
  return path.filter((target): target is HTMLElement => target instanceof Element);
}

/** Whether the site wants nothing captured here. */
export function isPrivate(elements: readonly Element[]): boolean {
  return elements.some((element) => element.matches(PRIVATE));
}

/** What an element shows, where nothing in it is private. */
export function textOf(element: Element): string {
  if (element.querySelector(PRIVATE)) return "";
  return (element.textContent ?? "").replace(/\s+/g, " ").trim().slice(0, TEXT_LENGTH_MAX);
}

/** `data-selvedge-property-order-id="7"` is the property `order_id`. */
export function propertiesOf(data: DOMStringMap): Texts {
  const properties: Texts = {};
  for (const [key, value = ""] of Object.entries(data)) {
    if (!key.startsWith(PROPERTY)) continue;
    properties[key.slice(PROPERTY.length).replace(/(?!^)[A-Z]/g, "_$&").toLowerCase()] = value;
  }
  return properties;
}

/** The tracking plan says whether `7` is a number or an article's. */
export function readingsOf(properties: Texts): Readings {
  const readings: Readings = {};
  for (const [name, value] of Object.entries(properties)) {
    if (value === "true" || value === "false") readings[name] = value === "true";
    else if (`${+value}` === value && isFinite(+value)) readings[name] = +value;
  }
  return readings;
}
