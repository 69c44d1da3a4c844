/** The pointer leaves the page at its top, where tabs and addresses are: once a page view. */
import { hear, type Watcher } from "./page";

export const exit: Watcher = (page) => {
  let isSaid = false;
  hear(["mouseout"], ({ relatedTarget, clientY }) => {
    if (isSaid || relatedTarget || clientY > 0) return;
    isSaid = true;
    page.say("exit_intent", {});
  });
  page.turn(() => (isSaid = false));
};
