/**
 * One sender for each queue: a page holds the lock of its own, and takes over the queues of pages that are gone. Without
 * Web Locks it takes over all; should two pages then send the same events, the edge counts them once.
 */
import { entries, keys, type Entry } from "./storage";

const NAME = "selvedge.queue.";

let own: string | undefined;
let adopt: (records: Entry[]) => void = () => {};
/** Ends the locks that this page holds. */
let release = new AbortController();
const held = new Set<string>();

export function onAdopted(callback: (records: Entry[]) => void): void {
  adopt = callback;
}

/** Holds the lock of this page's own queue, and takes over those that nobody holds. */
export function hold(queue: string): void {
  own = queue;
  void request(queue);
  void takeOver();
}

/** Calls back while no other tab of the device is called back; without Web Locks at once. */
export function alone(use: () => void): void {
  if (!navigator.locks) use();
  else void navigator.locks.request("selvedge.leases", use).catch(use);
}

/** From here on the device may be read: a page that captures nothing sends what others left, too. */
export function open(): void {
  own ??= "";
  void takeOver();
}

/** A page in the back/forward cache may hold no lock. */
export function letGo(): void {
  release.abort();
  release = new AbortController();
  held.clear();
}

/** The page is back. */
export function holdAgain(): void {
  if (own && !held.has(own)) hold(own);
}

/** Tells of all queues that were taken over together, or of none. */
export async function takeOver(): Promise<void> {
  if (own === undefined) return;
  const queues = keys("w.").map((key) => key.slice(2));
  const others = queues.filter((queue) => queue !== own && !held.has(queue));
  const granted = await Promise.all(others.map(request));
  const taken = others.filter((_, at) => granted[at]);
  adopt(taken.flatMap((queue) => entries([`w.${queue}`, ...keys(`q.${queue}.`)])));
}

/** Whether the lock is held now; then it is, until the page is gone or lets go. */
function request(queue: string): Promise<boolean> {
  const { signal } = release;
  return new Promise((resolve) => {
    const take = (): void => {
      held.add(queue);
      resolve(true);
    };
    if (!navigator.locks) return take();
    const asked = navigator.locks.request(NAME + queue, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(false);
      take();
      return new Promise<void>((free) => signal.addEventListener("abort", () => free()));
    });
    asked.catch(() => resolve(false));
  });
}
