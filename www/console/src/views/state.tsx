// What the edge keeps of a visitor: facts, counts, caps, writers.

import type { ComponentChildren } from "preact";
import { full } from "../time.js";
import { kept, type Row } from "../visitor.js";
import { Empty } from "./parts.js";

/** The tables. */
export function State() {
  const now = kept.value;
  if (now === undefined) return <p class="soft">Reading what is kept…</p>;
  if (now.bytes === 0) return <Empty title="Nothing is kept"><p>State is kept only while the visitor grants a purpose, and is erased when that is taken back.</p></Empty>;
  return (
    <div class="state">
      <Table title="Session" rows={[["number", String(now.sessionNumber)], ["started", full(now.sessionStartedAt)], ["pages", String(now.sessionPages)], ...now.sessionFacts]} />
      <Table title="Page" rows={now.pageFacts} />
      <Block title="Counts" isEmpty={now.metrics.length === 0}>
        <table><thead><tr><th>Metric</th><th>Event</th><th class="number">Kept</th></tr></thead>
          <tbody>{now.metrics.map((one) => <tr key={one.name} title={`Observed since ${full(one.since)}`}><td><code>{one.name}</code></td><td>{one.event}</td><td class="number">{one.count}</td></tr>)}</tbody></table>
      </Block>
      <Block title="Caps" isEmpty={now.caps.length === 0}>
        <table><thead><tr><th>Of</th><th class="number">Shown</th><th class="number">Granted</th><th class="number">Left</th></tr></thead>
          <tbody>{now.caps.map((one) => <tr key={one.of}><td><code>{one.of}</code></td><td class="number">{one.used}</td><td class="number">{one.granted}</td><td class="number">{one.left}</td></tr>)}</tbody></table>
      </Block>
      <Table title="Writers" rows={now.writers} />
      <p class="soft small">{now.bytes.toLocaleString()} bytes of state, consent mode {now.mode.replace("_", "-")}.</p>
    </div>
  );
}

function Table({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }) {
  return (
    <Block title={title} isEmpty={rows.length === 0}>
      <table><tbody>{rows.map(([name, value]) => <tr key={name}><th scope="row">{name}</th><td>{value === null ? <span class="soft">unknown</span> : value}</td></tr>)}</tbody></table>
    </Block>
  );
}

function Block({ title, isEmpty, children }: { readonly title: string; readonly isEmpty: boolean; readonly children: ComponentChildren }) {
  return <section class="block"><h3>{title}</h3>{isEmpty ? <p class="soft small">None.</p> : children}</section>;
}
