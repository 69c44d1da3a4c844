/** Forms: begun with the first input, then sent, or left with the page. Names of fields, never what stands in them. */
import { elementsOf, isPrivate } from "../element";
import { hear, type Watcher } from "./page";

type Begun = { readonly form: string; field: string; readonly fields: Set<string> };

export const forms: Watcher = (page) => {
  const begun = new Map<HTMLFormElement, Begun>();
  const heard = new WeakSet<Event>();

  const touched = (event: Event): void => {
    const elements = elementsOf(event.composedPath());
    const { form, name, id } = (elements[0] ?? {}) as HTMLInputElement;
    const field = name || id;
    if (!form || !field || isPrivate(elements)) return;
    let known = begun.get(form);
    if (!known) {
      begun.set(form, (known = { form: nameOf(form), field, fields: new Set() }));
      page.say("form_start", { form: known.form, field });
      // What is sent within a shadow tree is not heard outside of it.
      form.addEventListener("submit", sent);
    }
    known.field = field;
    known.fields.add(field);
  };

  const sent = (event: Event): void => {
    const form = event.target as HTMLFormElement;
    if (heard.has(event) || isPrivate(elementsOf(event.composedPath()))) return;
    heard.add(event);
    page.say("form_submit", { form: nameOf(form), fields: [...(begun.get(form)?.fields ?? [])] });
    begun.delete(form);
  };

  const left = (): void => {
    for (const { form, field, fields } of begun.values()) page.say("form_abandon", { form, field, fields: [...fields] });
    begun.clear();
  };

  hear(["input", "change"], touched);
  hear(["submit"], sent);
  hear(["pagehide"], left);
  page.turn(left);
};

/** Fields may be called `id` or `name`, so the form's own are asked for as attributes. */
function nameOf(form: HTMLFormElement): string {
  const said = (name: string): string => form.getAttribute(name) ?? "";
  return said("id") || said("name") || (said("action").split(/[?#]/, 1)[0] ?? "");
}
