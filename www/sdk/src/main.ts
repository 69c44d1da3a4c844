/** The page's hands: connects the page to the head, or, where wasm cannot run, to plain delivery. */
import { api, at, capture, captureAct, captureLink, capturePage, connect, heard, makeCalls } from "./api";
import { watchPage } from "./capture";
import { head, startHead, tellAdopted, tellBoot, tellChange } from "./head";
import { holdAgain, letGo, onAdopted } from "./locks";
import type { open } from "./consent";
import { ASKS, type Sources } from "./consent/sources";
import type { Ear, Settings, Sink } from "./sink";
import { lookAgain, openSlots, selectSlots, show } from "./slots";
import { openStorage, read, watch } from "./storage";
import { getConfig, openTransport } from "./transport";
import type { Notices, Stub } from "./types";

type Boot = NonNullable<Stub["boot"]>;

const stub = window.selvedge as Stub | undefined;
if (stub?.boot) void start(stub, stub.boot);

async function start(stub: Stub, boot: Boot): Promise<void> {
  const { site = "", endpoint = "" } = boot.data;
  openStorage(site);
  openTransport(endpoint, site);
  const sink = await startHead(boot.wasm).then(
    () => head,
    () => openPlain(boot),
  );
  connect(sink);
  openSlots(
    (slot) => sink.inView(slot),
    (slot) => sink.seen(slot),
    (decision) => heard("decision", decision),
  );
  await visible();
  if (sink === head) openHead(boot);
  begin(stub, boot, sink);
  const settings: Settings | undefined = await boot.config
    .then((response) => (response.ok ? response.json() : undefined))
    .catch(() => undefined);
  selectSlots(settings?.selectors ?? []);
  sink.settle(settings);
  if (settings?.sources) readConsent(boot, settings, settings.sources, sink);
  if (settings?.refresh_ms) keepUp(sink, settings);
}

/** The readers of consent platforms come when the site has any; where they cannot, nothing that they might say is taken for said. */
function readConsent({ base }: Boot, { region = "" }: Settings, sources: Sources, sink: Sink): void {
  const purposes = (changed?: (consent: Notices["consent"]) => void): Notices["consent"] => {
    if (changed) api.on("consent", changed);
    return api.consent();
  };
  import(base + "consent.js").then(
    (readers: { open: typeof open }) => readers.open(sources, region, sink.hear, purposes),
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

async function openPlain(boot: Boot): Promise<Sink> {
  const plain: { open(boot: Boot, ear: Ear): Sink } = await import(boot.base + "plain.js");
  return plain.open(boot, { heard, show });
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
function begin(stub: Stub, { data, time }: Boot, sink: Sink): void {
  const isAutomatic = data["page"] !== "manual";
  if (isAutomatic) at(time, () => capturePage(document.referrer));
  const calls = stub.q;
  Object.assign(stub, api, { q: [] });
  makeCalls(calls);
  watchPage({
    click: (name, properties, readings) => capture("track", name, properties, readings),
    link: captureLink,
    act: captureAct,
    route: (referrer, time) => {
      if (isAutomatic) at(time, () => capturePage(referrer));
      lookAgain();
    },
    hidden: () => sink.hidden(),
    awake: () => {
      sink.awake();
      lookAgain();
    },
  });
}

/** A page that is rendered ahead has no visitor yet. */
async function visible(): Promise<void> {
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
  }
}
