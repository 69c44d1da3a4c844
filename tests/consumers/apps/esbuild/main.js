import { selvedge, start } from "selvedge/slim";
import later from "selvedge/later.wasm";
import rules from "selvedge/rules.wasm";
import wasm from "selvedge/selvedge.wasm";
import strings from "selvedge/strings.wasm";

const here = (file) => new URL(file, import.meta.url);
start({ site: "shop", writeKey: "wk_shop_browser", wasm: here(wasm), later: here(later), rules: here(rules), strings: here(strings) });
selvedge.consent({ analytics: true, personalization: true });
selvedge.identify("u-17", { loyalty_tier: "gold" });
selvedge.slot("hero", ({ content }) => document.body.setAttribute("data-heard", content?.id ?? "none"));
