// The live list with its head: rate, filter, pause, and how the connection stands.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Entry } from "../entry.js";
import { KINDS } from "../filter.js";
import { connection, entries, filterKind, filterText, isPaused, missed, shown, togglePause, totals } from "../live.js";
import { clock, full, short } from "../time.js";
import { opened, pick, picked } from "../visitor.js";
import { CODES } from "../words.js";
import { Icon } from "./icon.js";
import { Alert, Badge, Empty } from "./parts.js";
import { Sparkline } from "./sparkline.js";

/** Height of a row in the list; the stylesheet has the same. */
const ROW = 38;
/** Rows beyond the edges of the view that are drawn. */
const MARGIN = 12;

/** The page "Live events". */
export function LivePage() {
  return (
    <main class="live-page">
      <header class="live-head">
        <div class="live-title">
          <h1>Live events</h1>
          <Connected />
          <Sparkline />
          <Pause />
        </div>
        <Tools />
      </header>
      <Trouble />
      <List />
    </main>
  );
}

function Connected() {
  const { state } = connection.value;
  const words = { connecting: "Connecting", live: isPaused.value ? "Paused" : "Live", waiting: "Reconnecting" };
  return <span class={`connected ${isPaused.value ? "paused" : state}`} role="status"><i />{words[state]}</span>;
}

function Trouble() {
  const now = connection.value;
  if (now.state !== "waiting") return null;
  return <div class="trouble"><Alert failure={now.failure} more="Trying again on its own." /></div>;
}

function Tools() {
  const { accepted, refused } = totals.value;
  const labels = { all: `All ${(accepted + refused).toLocaleString()}`, decisions: "Decisions", refused: `Refused ${refused.toLocaleString()}` };
  return (
    <div class="tools">
      <label class="search"><Icon name="search" /><input type="search" placeholder="Name, visitor, rule, code" aria-label="Filter" value={filterText.value} onInput={(event) => { filterText.value = event.currentTarget.value; }} /></label>
      <div class="segments" role="group" aria-label="Show">
        {KINDS.map((kind) => <button type="button" key={kind} aria-pressed={filterKind.value === kind} onClick={() => { filterKind.value = kind; }}>{labels[kind]}</button>)}
      </div>
    </div>
  );
}

function Pause() {
  const news = missed.value > 0 ? ` (${missed.value} new)` : "";
  return <button type="button" class="button" onClick={togglePause}><Icon name={isPaused.value ? "play" : "pause"} /><span>{isPaused.value ? `Go on${news}` : "Pause"}</span></button>;
}

function List() {
  const scroll = useSignal({ top: 0, height: 900 });
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => { scroll.value = { top: element.scrollTop, height: element.clientHeight }; };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => observer.disconnect();
  }, []);
  const rows = shown.value;
  const first = Math.max(0, Math.floor(scroll.value.top / ROW) - MARGIN);
  const last = Math.min(rows.length, Math.ceil((scroll.value.top + scroll.value.height) / ROW) + MARGIN);
  return (
    <div class="list" ref={box} role="list" aria-label="Events, newest first" tabIndex={-1}>
      <div class="row row-head" aria-hidden="true"><span>Time</span><span>Event</span><span>Visitor</span><span>Source</span><span>Outcome</span></div>
      {rows.length === 0 ? <Nothing /> : (
        <div class="rows" style={{ height: `${rows.length * ROW}px` }}>
          {rows.slice(first, last).map((entry, index) => <Row key={entry.key} entry={entry} top={(first + index) * ROW} />)}
        </div>
      )}
    </div>
  );
}

function Nothing() {
  if (entries.value.length > 0) return <Empty title="Nothing matches"><p>Clear the filter, or wait for the next event.</p></Empty>;
  if (connection.value.state !== "live") return <Empty title="Connecting to the log"><p>Events appear here as they are written.</p></Empty>;
  return (
    <Empty title="No events yet">
      <ol>
        <li><a href="/?utm_medium=cpc&utm_source=ads&utm_campaign=spring" target="_blank" rel="noopener">Open the shop</a> in another window.</li>
        <li>Answer the privacy question with <em>Accept all</em>: nothing is sent before.</li>
        <li>Click a shoe. Then another one, and look at the front page.</li>
      </ol>
      <p>Or send a recorded log: <code>selvedge replay --dataset ecom</code></p>
    </Empty>
  );
}

function Row({ entry, top }: { readonly entry: Entry; readonly top: number }) {
  const isPicked = entry.visitor === picked.value;
  const classes = ["row", entry.kind, isPicked && "of-picked", entry.key === opened.value && "picked"].filter(Boolean).join(" ");
  return (
    <div role="listitem" class={classes} style={{ transform: `translateY(${top}px)` }}>
      <button type="button" class="row-button" onClick={() => pick(entry)} aria-label={`${entry.name} of visitor ${short(entry.visitor)}`} />
      <time title={full(entry.receivedMs)}>{clock(entry.receivedMs)}</time>
      <span class="name">{entry.name}{entry.hint !== "" && <small>{entry.hint}</small>}</span>
      <code class="visitor" style={{ "--hue": hueOf(entry.visitor) }}>{short(entry.visitor)}</code>
      <span class="source" title={entry.trust === "server" ? "Authenticated" : "From a page"}>{entry.source}</span>
      <Outcome entry={entry} />
    </div>
  );
}

function Outcome({ entry }: { readonly entry: Entry }) {
  if (entry.kind === "refused") return <span class="outcome"><Badge tone="bad" title={CODES[entry.code]}>{entry.code}</Badge></span>;
  return (
    <span class="outcome">
      {entry.isLate && <Badge tone="warn" title="Older than the newest applied event: kept, but not counted">late</Badge>}
      {entry.isClockOff && <Badge tone="warn" title="The writer's clock is far off">clock off</Badge>}
      {entry.decisions.length === 0 && !entry.isLate && !entry.isClockOff && <Badge tone="quiet" title="Accepted, and as the tracking plan says">valid</Badge>}
      {entry.decisions.map((one) => <Badge key={one.slot} tone={one.rule === null ? "quiet" : "good"} title={`${one.slot}: ${one.rule ?? "no rule"} (${one.reason})`}>{one.slot}{entry.decisions.length === 1 && ` → ${one.content ?? "own content"}`}</Badge>)}
    </span>
  );
}

/** A hue for a visitor, the same every time. */
function hueOf(id: string): string {
  return String(Number.parseInt(id.slice(-4) || "0", 16) % 360);
}
