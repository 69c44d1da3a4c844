// Small pieces that several views share.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Failure } from "../api.js";
import { pretty } from "../json_text.js";
import { toneOf } from "../words.js";
import { Icon } from "./icon.js";

/** A word in a coloured box. */
export function Badge({ tone, title, children }: { readonly tone: "good" | "warn" | "bad" | "quiet" | "info"; readonly title?: string | undefined; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`} title={title}>{children}</span>;
}

/** A reason as a badge. */
export function ReasonBadge({ reason }: { readonly reason: string }) {
  return <Badge tone={toneOf(reason)}>{reason.replaceAll("_", " ")}</Badge>;
}

/** JSON in lines and colours; what was sent, digit by digit. */
export function Json({ text }: { readonly text: string }) {
  return <pre class="json"><code>{pretty(text).map((token) => (token.kind === "mark" ? token.text : <span class={`j-${token.kind}`}>{token.text}</span>))}</code></pre>;
}

/** A text with a button that copies it. */
export function Copyable({ text, shown }: { readonly text: string; readonly shown: string }) {
  const isCopied = useSignal(false);
  const copy = (): void => {
    navigator.clipboard?.writeText(text).then(() => {
      isCopied.value = true;
      setTimeout(() => { isCopied.value = false; }, 1_200);
    }, () => {});
  };
  return <button type="button" class="copy" onClick={copy} title={`Copy ${text}`}><code>{shown}</code><Icon name="copy" /><span class="copied" aria-live="polite">{isCopied.value && "copied"}</span></button>;
}

/** A failure, told with what to do. Words between backticks are code. */
export function Alert({ failure, more }: { readonly failure: Failure; readonly more?: string }) {
  const fix = failure.fix.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
  return <p class="alert" role="alert"><strong>{sentence(failure.message)}</strong> {fix}{!/[.!?]$/.test(failure.fix) && "."} {more !== undefined && <span class="soft">{more}</span>}</p>;
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

/** A place where nothing is yet, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return <div class="empty"><h2>{title}</h2><div class="soft">{children}</div></div>;
}
