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
  void request(queue, () => {});
  takeOver();
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

export function takeOver(): void {
  for (const key of own ? keys("w.") : []) {
    const queue = key.slice(2);
    if (queue !== own && !held.has(queue)) {
      void request(queue, () => adopt(entries([key, ...keys(`q.${queue}.`)])));
    }
  }
}

/** Calls back once the lock is held; it is, until the page is gone or lets go. */
async function request(queue: string, granted: () => void): Promise<void> {
  const { signal } = release;
  if (!navigator.locks) {
    held.add(queue);
    return granted();
  }
  const name = NAME + queue;
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock || signal.aborted || held.has(queue)) return;
    held.add(queue);
    granted();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
}
