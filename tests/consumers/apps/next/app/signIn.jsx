"use client";
import { Slot, useDecision, useSelvedge } from "selvedge/react";

export function SignIn() {
  const selvedge = useSelvedge();
  const signIn = () => {
    selvedge.consent({ analytics: true, personalization: true });
    selvedge.identify("u-17", { loyalty_tier: "gold" });
  };
  return <button onClick={signIn}>Sign in</button>;
}

export function Standing() {
  const decision = useDecision("hero");
  return (
    <>
      <code id="standing">{decision?.content?.id ?? "none"}</code>
      <Slot name="banner">{(banner) => <output>{banner?.content?.id ?? "none"}</output>}</Slot>
    </>
  );
}
