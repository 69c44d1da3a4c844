/** Clicks on what looks as if it did something, after which nothing changes for a second. Once an element and page view. */
import { factsOf, hearClicks } from "./clicks";
import { hear, type Watcher } from "./page";

const WAIT_MS = 1_000;
/** The browser itself does something with these. */
const ANSWERING = "input,select,textarea,label,option,summary,video,audio,[contenteditable]";
const PRESSED = "button,[role=button],a,[onclick]";

export const dead: Watcher = (page) => {
  let told = new WeakSet<Element>();
  /** Called by whatever shows that the page answered. */
  let answer = (): void => {};
  const answered = (): void => answer();

  hearClicks((elements) => {
    const [inner] = elements;
    if (!inner || elements.some((element) => element.matches(ANSWERING) || leads(element))) return;
    const looks = elements.find((element) => element.matches(PRESSED));
    const element = looks ?? (getComputedStyle(inner).cursor === "pointer" ? inner : undefined);
    if (!element || told.has(element)) return;
    answer();
    const { href } = location;
    const observer = new MutationObserver(answered);
    const stop = (): void => {
      clearTimeout(timer);
      observer.disconnect();
      answer = () => {};
    };
    const timer = setTimeout(() => {
      stop();
      if (location.href !== href) return;
      told.add(element);
      page.say("dead_click", factsOf(element));
    }, WAIT_MS);
    answer = stop;
    const roots = new Set<Node>(elements.map((one) => one.getRootNode()));
    roots.forEach((root) => observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true }));
  });
  hear(["scroll", "blur", "pagehide", "visibilitychange", "submit"], answered);
  page.turn(() => {
    answer();
    told = new WeakSet();
  });
};

/** Whether an element is a link that leads somewhere else, or to a place of the page that is there. */
function leads(element: Element): boolean {
  const href = element.matches("a[href]") && element.getAttribute("href");
  return !!href && !/^(#|javascript:)/.test(href);
}
