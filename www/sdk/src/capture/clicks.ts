/** What was clicked, for kinds that ask how a click went. */
import { elementsOf, isPrivate, textOf } from "../element";
import { hear } from "./page";

/** Hears clicks that are not private: the elements from the innermost, and the event. */
export function hearClicks(clicked: (elements: readonly HTMLElement[], event: MouseEvent) => void): void {
  hear(["click"], (event) => {
    const elements = elementsOf(event.composedPath());
    if (elements.length && !isPrivate(elements)) clicked(elements, event);
  });
}

/** What an element is: `button#buy`. */
export function factsOf(element: Element): { element: string; text: string } {
  return { element: element.localName + (element.id && `#${element.id}`), text: textOf(element) };
}
