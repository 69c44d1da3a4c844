/** The site's own search: what a URL parameter says was searched for. */
import type { Watcher } from "./page";

const QUERY_LENGTH_MAX = 100;

export const search: Watcher = (page, option) => {
  const look = (): void => {
    const given = new URLSearchParams(location.search);
    const query = option.split(",").map((name) => given.get(name)?.trim()).find(Boolean);
    if (query) page.say("site_search", { query: query.slice(0, QUERY_LENGTH_MAX) });
  };
  look();
  // What is said then waits for the page view.
  page.turn(() => setTimeout(look));
};
