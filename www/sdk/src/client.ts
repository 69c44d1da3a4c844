/** The page's hands: connects the page to the head, or, where wasm cannot run, to plain delivery. */
import { api, at, capture, captureAct, capturePage, connect, heard, makeCalls, notice } from "./api";
import { setRoutes, watchPage } from "./capture";
import type { Wanted } from "./capture/page";
import { lookAgain, openDecisions, selectSlots, show, type Eye, type Slots } from "./decisions";
import { head, startHead, tellAdopted, tellBoot, tellChange } from "./head";
import { engineFrom } from "./host";
import { holdAgain, letGo, onAdopted } from "./locks";
import type { open as openReaders } from "./consent";
import type { Identity, openIdentity } from "./identity";
import { ASKS, type Sources } from "./consent/sources";
import type { Ear, Settings, Sink } from "./sink";
import { onForgotten, openStorage, read, watch, write } from "./storage";
import { askWith, getConfig, openTransport } from "./transport";
import type { Boot, Stub } from "./stub";
import type { Notices } from "./types";
import { captureMore, wantedOf, type Watching } from "./wanted";

/** What takes the head's place. */
export type Other = { open(boot: Boot, ear: Ear): Sink | Promise<Sink> };

/** What not every page needs: chunks of JavaScript. */
export type Chunks = {
  /** Readers of consent platforms. */
  consent: { open: typeof openReaders };
  /** What is captured beyond clicks and page views. */
  extras: Watching;
  /** The visitor's id in a cookie and in links. */
  identity: { openIdentity: typeof openIdentity };
  /** Delivery without wasm. */
  plain: Other;
  /** What a preview token lets its holder see. */
  preview: Other;
  /** The rule engine's glue. */
  rules: typeof import("./rules");
  /** What shows decisions. */
  slots: { openSlots(eye: Eye): Slots };
  /** The extras, and web vitals with them: one request for a page that wants these. */
  vitals: Watching;
};

/** Where it stands. */
export type Parts = {
  chunk<Name extends keyof Chunks>(name: Name): Promise<Chunks[Name]>;
  /** The second half of the head's module, the rule engine, and the module that reads strings of the IAB. */
  module(name: "later" | "rules" | "strings"): Promise<Response>;
};

export async function open(stub: Stub, boot: Boot, parts: Parts): Promise<void> {
  const { site = "", endpoint = "" } = boot.data;
  const isMemory = boot.data["storage"] === "memory";
  openStorage(site, isMemory);
  openTransport(endpoint, site);
  const config = getConfig(boot.config);
  const wanted = config.then((settings) => wantedOf(boot.data["capture"], settings));
  engineFrom(() => openRules(parts));
  const part = await choose(boot, parts);
  const sink = part ? await part.open(boot, { heard, show }) : head;
  connect(sink);
  const eye = { inView: (slot: string) => sink.inView(slot), seen: (slot: string) => sink.seen(slot) };
  openDecisions(eye, (decision) => heard("decision", decision), () => parts.chunk("slots"));
  // A page that is rendered ahead is seen only now, if ever.
  const seen = document.prerendering ? { ...boot, time: await activated() } : boot;
  if (sink === head) openHead(boot);
  begin(stub, seen, sink, wanted);
  const settings = await config;
  selectSlots(settings?.selectors ?? []);
  sink.settle(isMemory && settings ? { ...settings, identity: [] } : settings);
  if (sink === head && !isMemory && settings?.identity) knowElsewhere(parts, site, settings.identity, wanted);
  if (settings?.sources) readConsent(parts, settings, settings.sources, sink);
  // Without the tracking plan nobody knows what may be captured.
  if (sink === head) captureMore(await wanted, parts.chunk, notice);
  if (settings?.refresh_ms) keepUp(sink, settings);
}

/** Where the visitor's id stands besides the device's storage, it is looked for before a new one is minted. */
function knowElsewhere(parts: Parts, site: string, identity: Identity, wanted: Promise<Wanted>): void {
  const tell = (record?: Uint8Array): void => tellChange("visitor", record);
  const moved = (): void => void wanted.then(setRoutes);
  parts.chunk("identity").then(
    ({ openIdentity }) => openIdentity(identity, { site, api, read, write, tell, askWith, onForgotten, moved }),
    () => tell(),
  );
}

/** The rule engine's module and its glue come at the same time. */
async function openRules({ chunk, module }: Parts): Promise<(question: Uint8Array) => Uint8Array> {
  const source = module("rules");
  source.catch(() => {});
  return (await chunk("rules")).open(source);
}

/** What takes the head's place: in a preview, and where wasm cannot run. */
async function choose({ data, wasm }: Boot, parts: Parts): Promise<Other | undefined> {
  if (isPreview(data["site"])) return parts.chunk("preview");
  return startHead(wasm, () => parts.module("later")).then(
    () => undefined,
    () => parts.chunk("plain"),
  );
}

/** Whether this tab holds a preview token. */
function isPreview(site: string | undefined): boolean {
  try {
    return /[?&]selvedge_preview=/.test(location.search) || `selvedge.${site}.preview` in sessionStorage;
  } catch {
    return false;
  }
}

/** The readers of consent platforms come when the site has any; where they cannot, nothing that they might say is taken for said. */
function readConsent(parts: Parts, { region = "" }: Settings, sources: Sources, sink: Sink): void {
  const purposes = (changed?: (consent: Notices["consent"]) => void): Notices["consent"] => {
    if (changed) api.on("consent", changed);
    return api.consent();
  };
  parts.chunk("consent").then(
    (readers) => readers.open(sources, region, sink.hear, purposes, () => parts.module("strings")),
    () => sink.hear(sources.read, ASKS),
  );
}

/** Where the edge asks for it, a page that is seen learns of a new program without an answer. */
function keepUp(sink: Sink, { refresh_ms, publish, paused }: Settings): void {
  setInterval(async () => {
    if (document.hidden) return;
    const settings = await getConfig();
    if (!settings || (settings.publish === publish && `${settings.paused}` === `${paused}`)) return;
    ({ publish, paused } = settings);
    selectSlots(settings.selectors ?? []);
    sink.settle(settings);
  }, refresh_ms);
}

function openHead({ data }: Boot): void {
  onAdopted(tellAdopted);
  tellBoot(data);
  watch(tellOfOtherTabs);
  addEventListener("pagehide", letGo);
  addEventListener("pageshow", ({ persisted }) => {
    // Nobody tells a page in the back/forward cache what other tabs changed.
    if (persisted) {
      tellOfOtherTabs("consent", read("consent"));
      tellOfOtherTabs("visitor", read("visitor"));
    }
    holdAgain();
  });
}

/** Another tab stored or erased a record. What it says of consent and visitor belongs together. */
function tellOfOtherTabs(key: string, value: Uint8Array | undefined): void {
  if (key === "consent" && value) {
    // The other tab minted the visitor with its consent: this one must not mint another.
    const visitor = read("visitor");
    if (visitor) tellChange("visitor", visitor);
  }
  if (key !== "visitor") return tellChange(key, value);
  // Two tabs may have minted one each: what stands there now is the later.
  const visitor = read(key);
  // A visitor goes with a withdrawal, which destroys what is queued, or with a logout, which does not.
  if (!visitor) tellChange("consent", read("consent"));
  tellChange(key, visitor);
}

/** The first page view, then the calls that waited, then what happens. */
function begin(stub: Stub, { data, time }: Boot, sink: Sink, wanted: Promise<Wanted>): void {
  const isAutomatic = data["page"] !== "manual";
  if (data["capture"]) setRoutes(wantedOf(data["capture"], undefined));
  makeCalls(stub.former ?? []);
  if (isAutomatic) at(time, () => capturePage(document.referrer));
  const calls = stub.q;
  Object.assign(stub, api, { q: [] });
  makeCalls(calls);
  watchPage({
    click: (name, properties, readings) => capture("track", name, properties, readings),
    notice: (kind, name, properties) => {
      const time = Date.now();
      void wanted.then((kinds) => kinds.has(kind) && at(time, () => notice(name, properties)));
    },
    act: captureAct,
    route: (referrer, time) => {
      if (isAutomatic) at(time, () => capturePage(referrer));
    },
    hidden: () => sink.hidden(),
    awake: () => {
      sink.awake();
      lookAgain();
    },
  });
}

/** When a page that is rendered ahead, and has no visitor yet, is seen. */
async function activated(): Promise<number> {
  await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
  return Date.now();
}
