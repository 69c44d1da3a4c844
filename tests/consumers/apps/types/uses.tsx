// What the types say, as a site would find out: this file is only compiled. A line that must not compile says so.
import { selvedge, start, type Content, type Decision, type Notices, type Selvedge, type Value } from "selvedge";
import { start as slim } from "selvedge/slim";
import { snippet, STUB } from "selvedge/snippet";
import { Slot, SelvedgeProvider, useDecision, useSelvedge } from "selvedge/react";
import { decide, type DecideOptions } from "selvedge/server";

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
function holds<_Claim extends true>(): void {}

holds<Same<ReturnType<typeof start>, Selvedge>>();
holds<Same<ReturnType<Selvedge["slot"]>, () => void>>();
holds<Same<ReturnType<Selvedge["decisions"]>, readonly Decision[]>>();
holds<Same<Decision["content"], Content | null>>();
holds<Same<Notices["lost"], { readonly count: number }>>();
holds<Same<ReturnType<typeof useDecision>, Decision | undefined>>();
holds<Same<Awaited<ReturnType<typeof decide>>, readonly Decision[]>>();
holds<Same<ReturnType<typeof snippet>, string>>();

const client: Selvedge = start({ site: "shop", writeKey: "wk" });
slim({ site: "shop", writeKey: "wk", wasm: new Uint8Array(), later: "/later.wasm" });
const value: Value = { list: [1, 2n, "three", new Date(0), null] };
client.track("seen", { value });
selvedge.on("refused", ({ sequence, code }) => void [sequence.toFixed(), code.trim()]);
const stop: () => void = selvedge.slot("hero", ({ rule, content }) => void [rule?.length, content?.fields["text"]]);
stop();

// @ts-expect-error the write key is needed
start({ site: "shop" });
// @ts-expect-error the slim client has to be told where the module is
slim({ site: "shop", writeKey: "wk" });
// @ts-expect-error a function is no property
client.track("seen", { value: () => 1 });
// @ts-expect-error there is no such notice
selvedge.on("nothing", () => {});
// @ts-expect-error there is no such purpose
selvedge.consent({ everything: true });
// @ts-expect-error decisions are not to be written to
client.decisions()[0]!.rule = "mine";

const options: DecideOptions = { endpoint: new URL("https://edge.test"), serverKey: "secret", context: { "page.path": "/" } };

export function Page({ decisions }: { decisions: readonly Decision[] }) {
  const { track } = useSelvedge();
  return (
    <SelvedgeProvider site="shop" writeKey="wk" decisions={decisions}>
      <Slot name="hero" as="h1" className="hero" onClick={() => track("hero")}>
        The page's own
      </Slot>
      <Slot name="modal">{(decision) => <output>{decision?.content?.id}</output>}</Slot>
    </SelvedgeProvider>
  );
}
export { options, STUB };
