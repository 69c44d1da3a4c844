import { selvedge, start, type Decision } from "selvedge";

start({ site: "shop", writeKey: "wk_shop_browser" });
selvedge.consent({ analytics: true, personalization: true });
selvedge.identify("u-17", { loyalty_tier: "gold" });
selvedge.slot("hero", ({ content }: Decision) => document.body.setAttribute("data-heard", content?.id ?? "none"));
