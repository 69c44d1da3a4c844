// A visitor's events, newest first; the open one with everything that is known of it.

import type { Entry } from "../entry.js";
import { ENTRIES_MAX, entries } from "../live.js";
import { clock, full, gap } from "../time.js";
import { opened, timeline } from "../visitor.js";
import { CODES, REASONS } from "../words.js";
import { Badge, Copyable, Json, ReasonBadge } from "./parts.js";

/** The list. */
export function Timeline() {
  const all = timeline.value;
  return (
    <><ol class="timeline">
      {all.map((entry, index) => {
        const before = all[index + 1];
        const apart = before === undefined ? 0 : entry.timeMs - before.timeMs;
        return (
          <li key={entry.key} class={entry.key === opened.value ? `step open ${entry.kind}` : `step ${entry.kind}`}>
            <button type="button" class="step-head" aria-expanded={entry.key === opened.value} onClick={() => { opened.value = opened.value === entry.key ? "" : entry.key; }}>
              <i class="knot" />
              <span class="name">{entry.name}{entry.hint !== "" && <small>{entry.hint}</small>}</span>
              <Marks entry={entry} />
              <time title={full(entry.timeMs)}>{clock(entry.timeMs)}</time>
            </button>
            {entry.key === opened.value && <Detail entry={entry} />}
            {apart >= 60_000 && <p class="gap">{gap(apart)} before that</p>}
          </li>
        );
      })}
    </ol>
    {entries.value.length === ENTRIES_MAX && <p class="soft small">What is among the newest {ENTRIES_MAX.toLocaleString()} events of the site.</p>}</>
  );
}

function Marks({ entry }: { readonly entry: Entry }) {
  if (entry.kind === "refused") return <Badge tone="bad" title={CODES[entry.code]}>{entry.code}</Badge>;
  return <span class="marks">{entry.isLate && <Badge tone="warn">late</Badge>}{entry.decisions.map((one) => <Badge key={one.slot} tone={one.rule === null ? "quiet" : "good"}>{one.slot}</Badge>)}</span>;
}

function Detail({ entry }: { readonly entry: Entry }) {
  return (
    <div class="detail">
      {entry.kind === "refused" && <div class="alert"><strong>{entry.faults[0]?.message ?? entry.code}</strong>{entry.faults[0]?.path !== "" && <> at <code>{entry.faults[0]?.path}</code></>}<br /><span class="soft">{CODES[entry.code]}</span></div>}
      {entry.kind === "accepted" && entry.decisions.length > 0 && (
        <section><h3>Changed by it</h3><ul class="changes">{entry.decisions.map((one) => (
          <li key={one.slot}><code>{one.slot}</code> <span aria-hidden="true">→</span> <strong>{one.content ?? "its own content"}</strong> <ReasonBadge reason={one.reason} />
            <p class="soft small">{one.rule !== null && <>by <code>{one.rule}</code>. </>}{REASONS[one.reason]}{one.detail !== "" && <> <code>{one.detail}</code></>}</p></li>))}</ul></section>
      )}
      <Part entry={entry} name="properties" title="Properties" />
      <Part entry={entry} name="context" title="Context" />
      <section class="facts"><h3>Consent and ids</h3><dl>
        {entry.kind === "accepted" && <div><dt>Usable for</dt><dd>{entry.purposes.join(", ") || "nothing"}</dd></div>}
        <div><dt>Source</dt><dd>{entry.source}, trust {entry.trust}</dd></div>
        <div><dt>Happened</dt><dd>{full(entry.timeMs)}</dd></div>
        <div><dt>Received</dt><dd>{gap(entry.receivedMs - entry.timeMs)} later</dd></div>
        <div><dt>Writer</dt><dd><code>{plain(entry, "writer")}</code>, number {entry.sequence}</dd></div>
        <div><dt>Event id</dt><dd><Copyable text={plain(entry, "id")} shown={plain(entry, "id")} /></dd></div>
        <div><dt>Program</dt><dd><code>{plain(entry, "program").slice(0, 12)}</code>, publish {plain(entry, "publish")}</dd></div>
      </dl></section>
      <Part entry={entry} name="consent" title="Consent at capture" isClosed />
    </div>
  );
}

function Part({ entry, name, title, isClosed = false }: { readonly entry: Entry; readonly name: string; readonly title: string; readonly isClosed?: boolean }) {
  const text = entry.raw.get(name);
  if (text === undefined || text === "{}" || text === "null") return null;
  return <details class="part" open={!isClosed}><summary>{title}</summary><Json text={text} /></details>;
}

function plain(entry: Entry, name: string): string {
  return (entry.raw.get(name) ?? "").replace(/^"|"$/g, "");
}
