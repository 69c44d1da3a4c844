// The frame: the side with its pages, and the page that is open.

import { signOut, token } from "../session.js";
import { nextTheme, theme } from "../theme.js";
import { picked } from "../visitor.js";
import { Icon } from "./icon.js";
import { LivePage } from "./live_page.js";
import { SignIn } from "./sign_in.js";
import { VisitorPane } from "./visitor_pane.js";

/** Everything. */
export function App() {
  if (token.value === "") return <SignIn />;
  return (
    <div class={picked.value === "" ? "frame" : "frame has-visitor"}>
      <Side />
      <LivePage />
      <VisitorPane />
    </div>
  );
}

function Side() {
  return (
    <aside class="side">
      <a class="brand" href="/console/"><Icon name="brand" />Selvedge</a>
      <nav aria-label="Pages"><a class="page-link" href="/console/" aria-current="page"><Icon name="pulse" />Live events</a></nav>
      <div class="side-foot">
        <a class="page-link" href="/" target="_blank" rel="noopener"><Icon name="shop" />Open the shop</a>
        <button type="button" class="page-link" onClick={nextTheme}><Icon name="theme" />Theme: {theme.value}</button>
        <button type="button" class="page-link" onClick={() => signOut()}><Icon name="leave" />Sign out</button>
      </div>
    </aside>
  );
}
