// The shop: puts up the shell, shows pages by address, and asks the privacy question.

import { listen } from "./actions.js";
import { onChange } from "./bag.js";
import type { Route } from "./page.js";
import { cart, done, payment, shipping } from "./pages/checkout.js";
import { category, home, lost, results } from "./pages/listing.js";
import { comparison, detail, reviews } from "./pages/product.js";
import { account, privacyPage, promotion, support } from "./pages/service.js";
import { startPrivacy } from "./privacy.js";
import { Router } from "./router.js";
import { watchLoader } from "./selvedge.js";
import { hush, raiseShell, updateShell } from "./shell.js";

const ROUTES: readonly Route[] = [
  { pattern: "/", show: home },
  { pattern: "/c/:category", show: category },
  { pattern: "/p/:slug", show: detail },
  { pattern: "/p/:slug/reviews", show: reviews },
  { pattern: "/search", show: results },
  { pattern: "/compare", show: comparison },
  { pattern: "/cart", show: cart },
  { pattern: "/checkout", show: shipping },
  { pattern: "/checkout/payment", show: payment },
  { pattern: "/checkout/done/:order", show: done },
  { pattern: "/account", show: account },
  { pattern: "/promo/spring", show: promotion },
  { pattern: "/support", show: support },
  { pattern: "/privacy", show: privacyPage },
];

const main = raiseShell();
const router = new Router(main, ROUTES, lost, () => {
  updateShell();
  hush();
});

watchLoader();
startPrivacy();
onChange(updateShell);
listen(main, (address) => router.go(address));
router.start();
