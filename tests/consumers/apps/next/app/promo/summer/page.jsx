import { SelvedgeProvider, Slot } from "selvedge/react";
import { decide } from "selvedge/server";
import { SignIn, Standing } from "../../signIn.jsx";

export default async function Page({ searchParams }) {
  const { visitor, utm_medium = "" } = await searchParams;
  const decisions = await decide({
    endpoint: process.env.SELVEDGE_ENDPOINT,
    serverKey: process.env.SELVEDGE_SERVER_KEY,
    visitor,
    context: { "page.path": "/promo/summer", "utm.medium": utm_medium },
    consent: { choice: { analytics: true, personalization: true }, policyVersion: 1 },
    timeoutMs: 5_000,
  });
  return (
    <SelvedgeProvider site="shop" writeKey="wk_shop_browser" decisions={decisions}>
      <Slot name="hero" as="h1">The page&apos;s own</Slot>
      <Slot name="modal" as="p" className="modal">No modal</Slot>
      <Standing />
      <SignIn />
    </SelvedgeProvider>
  );
}
