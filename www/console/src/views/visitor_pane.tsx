// The picked visitor: what it did, what stands in its slots and why, and what is kept of it.

import { useSignal } from "@preact/signals";
import { failure, kept, picked, timeline, unpick } from "../visitor.js";
import { full, short } from "../time.js";
import { Icon } from "./icon.js";
import { Alert, Badge, Copyable, Empty } from "./parts.js";
import { Slots } from "./slots.js";
import { State } from "./state.js";
import { Timeline } from "./timeline.js";

const TABS = ["Timeline", "Decisions", "State"] as const;

/** The right side. */
export function VisitorPane() {
  const tab = useSignal<(typeof TABS)[number]>("Timeline");
  if (picked.value === "") {
    return <section class="pane" aria-label="Visitor"><Empty title="No visitor picked"><p>Pick an event: here you see everything its visitor did, what stands in each slot, and why.</p></Empty></section>;
  }
  return (
    <section class="pane" aria-label="Visitor">
      <Head />
      <div class="tabs" role="tablist">{TABS.map((name) => <button type="button" role="tab" key={name} aria-selected={tab.value === name} onClick={() => { tab.value = name; }}>{name}{name === "Timeline" && <small>{timeline.value.length}</small>}</button>)}</div>
      <div class="pane-body" role="tabpanel">
        {tab.value !== "Timeline" && <Trouble />}
        {tab.value === "Timeline" && <Timeline />}
        {tab.value === "Decisions" && <Slots />}
        {tab.value === "State" && <State />}
      </div>
    </section>
  );
}

function Head() {
  const now = kept.value;
  return (
    <header class="pane-head">
      <button type="button" class="icon-button back" onClick={unpick} aria-label="Back to the list"><Icon name="back" /></button>
      <div class="pane-title">
        <h2>Visitor <Copyable text={picked.value} shown={short(picked.value)} /></h2>
        <p class="soft small">{now === undefined ? "Reading what is kept…" : summary(now.sessionNumber, now.sessionPages, now.bornAt)}</p>
      </div>
      <div class="purposes">{now?.inForce.filter(isTold).map((purpose) => <Badge key={purpose} tone="good" title="Granted, and in force">{purpose}</Badge>)}{now?.isGpc === true && <Badge tone="warn" title="Global Privacy Control: never advertising">GPC</Badge>}{now !== undefined && now.inForce.length <= 1 && <Badge tone="quiet">only necessary</Badge>}</div>
      <button type="button" class="icon-button close" onClick={unpick} aria-label="Close"><Icon name="close" /></button>
    </header>
  );
}

/** The necessary is always in force; and where nobody need be asked, so are all purposes that no site has named. */
function isTold(purpose: string): boolean {
  return purpose !== "necessary" && !/^purpose_\d+$/.test(purpose);
}

function summary(session: number, pages: number, bornAt: string): string {
  if (session === 0) return "Nothing is kept of this visitor.";
  return `Session ${session}, ${pages} ${pages === 1 ? "page" : "pages"}. Known since ${full(bornAt)}.`;
}

function Trouble() {
  const why = failure.value;
  if (why === undefined) return null;
  return <Alert failure={why} />;
}
