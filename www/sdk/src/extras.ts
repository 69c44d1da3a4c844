/** The lazy chunk: what is captured beyond clicks and page views, each kind in a file of its own. */
import { datalayer } from "./capture/datalayer";
import { dead } from "./capture/dead";
import { errors } from "./capture/errors";
import { exit } from "./capture/exit";
import { forms } from "./capture/forms";
import { media } from "./capture/media";
import type { Page, Wanted, Watcher } from "./capture/page";
import { rage } from "./capture/rage";
import { scroll } from "./capture/scroll";
import { search } from "./capture/search";
import { time } from "./capture/time";
import { visibility } from "./capture/visibility";

const KINDS: Record<string, Watcher> = {
  datalayer,
  dead,
  errors,
  exit,
  forms,
  media,
  rage,
  scroll,
  search,
  time,
  visibility,
};

export function watch(wanted: Wanted, page: Page): void {
  for (const [kind, option] of wanted) KINDS[kind]?.(page, option);
}
