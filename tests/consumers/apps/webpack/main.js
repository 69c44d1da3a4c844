import { selvedge, start } from "selvedge";

// Before `start`: calls wait.
selvedge.slot("hero", ({ content }) => document.body.setAttribute("data-heard", content?.id ?? "none"));
selvedge.consent({ analytics: true, personalization: true });
selvedge.identify("u-17", { loyalty_tier: "gold" });
// The edge is below a folder of the site.
start({ site: "shop", writeKey: "wk_shop_browser", endpoint: "/edge" });
