// What stands in each slot, and for every rule of that slot why it acts or does not.

import { kept, type Candidate } from "../visitor.js";
import { REASONS } from "../words.js";
import { Empty, ReasonBadge } from "./parts.js";

/** One card per slot. */
export function Slots() {
  const now = kept.value;
  if (now === undefined) return <p class="soft">Reading what is kept…</p>;
  if (now.decisions.length === 0) return <Empty title="No slots"><p>The published site has no slots. Add them to <code>site.yaml</code>, and publish.</p></Empty>;
  return (
    <div class="slots">
      {now.decisions.map((one) => (
        <section class="slot" key={one.slot}>
          <header><h3>{one.slot}</h3><ReasonBadge reason={one.reason} /></header>
          <p class="winner"><strong>{one.content ?? "its own content"}</strong>{one.rule !== null && <> by <code>{one.rule}</code></>}</p>
          <p class="soft small">{REASONS[one.reason]}{one.rule === null && one.detail !== "" && <> Stopped at <code>{one.detail}</code></>}</p>
          <Rules all={now.candidates.filter((rule) => rule.slot === one.slot)} />
        </section>
      ))}
      <p class="soft small">As the edge would decide now, with program <code>{now.program.slice(0, 12)}</code>. The page decides by the same rules, without those that run at the edge only.</p>
    </div>
  );
}

function Rules({ all }: { readonly all: readonly Candidate[] }) {
  if (all.length === 0) return <p class="soft small">No rule shows anything here.</p>;
  const sorted = [...all].sort((left, right) => right.priority - left.priority || left.rule.localeCompare(right.rule));
  return (
    <ul class="rules">
      {sorted.map((one) => (
        <li key={one.rule}>
          <div class="rule-head"><code>{one.rule}</code><small title="Priority">{one.priority}</small><ReasonBadge reason={one.reason} /></div>
          {one.detail !== "" && <p class="leaf"><code>{one.detail}</code>{one.place !== "" && <small>{one.place}</small>}</p>}
          {one.detail === "" && <p class="soft small">{REASONS[one.reason]}</p>}
        </li>
      ))}
    </ul>
  );
}
