/**
 * Calls that a page made, and left before the client was there. A page that may keep something (an earlier one was granted it, and so
 * keeps a visitor) puts them on the device as it goes; the next page makes them first, through the same gate. Without such a
 * grant nothing is kept.
 */
import type { Boot, Call, Stub } from "./stub";

export function keepCalls(stub: Stub, { data, time }: Boot): void {
  if (data["storage"] === "memory") return;
  const { q } = stub;
  const place = `selvedge.${data["site"]}.`;
  const former: Call[] = (stub.former = []);
  const attempt = (use: () => void): void => {
    try {
      if (localStorage[`${place}visitor`]) use();
    } catch {
      // No storage, or a full one.
    }
  };
  attempt(() => {
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith(`${place}calls.`))) {
      const text = localStorage[key] as string;
      delete localStorage[key];
      former.push(...(JSON.parse(text) as Call[]));
    }
  });
  addEventListener("pagehide", ({ persisted }) =>
    attempt(() => {
      const calls = [...former, ...q];
      // The client has taken over; or something was taken back, and who does that has nothing else kept for later.
      if (stub.q !== q || /"consent",\[{[^}]*false/.test(JSON.stringify(calls))) return;
      const { origin, pathname } = location;
      const view = { path: pathname, url: origin + pathname, title: document.title, referrer: "" };
      // A page that may come back makes its page view then.
      if (!persisted && data["page"] !== "manual") calls.splice(former.length, 0, ["page", ["", view], time]);
      if (calls.length) localStorage[`${place}calls.${time}${Math.random()}`] = JSON.stringify(calls);
      q.length = former.length = 0;
    }),
  );
}
