/** The page's hands: starts the head, connects it to the page. */
import { api, at, capture, captureLink, capturePage, makeCalls } from "./api";
import { watchPage } from "./capture";
import { fromHex } from "./decode";
import { input, Kind, random, startHead, tell } from "./head";
import { openHost } from "./host";
import { holdAgain, letGo, onAdopted, takeOver } from "./locks";
import { lookAgain, openSlots } from "./slots";
import { entries, openStorage, read, watch, type Entry } from "./storage";
import { hurry, openTransport } from "./transport";
import type { Stub } from "./types";

type Boot = NonNullable<Stub["boot"]>;

/** Records that are read at once, where consent allows it. The queues come later, with their locks. */
const RECORDS = ["consent", "visitor", "state", "program", "leases"];

const stub = window.selvedge as Stub | undefined;
if (stub?.boot) void start(stub, stub.boot);

async function start(stub: Stub, boot: Boot): Promise<void> {
  const { site = "", endpoint = "" } = boot.data;
  try {
    await startHead(boot.wasm);
  } catch {
    const plain = "./plain.js";
    return (await import(plain)).start(stub, boot);
  }
  openStorage(site);
  openTransport(endpoint);
  openHost(site);
  openSlots((slot) => tell(input(Kind.seen).text(slot).varint(Date.now())));
  tellBoot(boot.data);
  onAdopted((records) => tellRecords(records));
  watch(tellChange);
  await visible();
  begin(stub, boot);
  void settle(boot.config);
}

/** The first page view, then the calls that waited, then what happens. */
function begin(stub: Stub, boot: Boot): void {
  if (boot.data["page"] !== "manual") at(boot.time, () => capturePage(document.referrer));
  const calls = stub.q;
  Object.assign(stub, api, { q: [] });
  makeCalls(calls);
  watchPage({
    click: (name, properties) => capture(0, name, properties),
    link: captureLink,
    route: (referrer) => {
      if (boot.data["page"] !== "manual") capturePage(referrer);
      lookAgain();
    },
    hidden: () => {
      hurry();
      tell(input(Kind.hidden));
    },
    awake: () => {
      tell(input(Kind.awake));
      takeOver();
      lookAgain();
    },
  });
  addEventListener("pagehide", letGo);
  addEventListener("pageshow", holdAgain);
}

/** What the edge says of the site; without it, the head goes on with what it has. */
async function settle(config: Promise<Response>): Promise<void> {
  const settings = input(Kind.settings);
  try {
    const { topology, consent, policy_version, clock, program, publish } = await (await config).json();
    const writer = input(Kind.settings).flag(true).u8(+topology).flag(consent === "opt-out");
    writer.varint(+policy_version).varint(+clock).flag(!!program);
    if (program) writer.raw(fromHex(`${program}`));
    tell(writer.varint(+publish));
  } catch {
    tell(settings.flag(false));
  }
}

/** Where the device holds no consent, nothing else of it is read. */
function tellBoot(data: DOMStringMap): void {
  const writer = input(Kind.boot).text(data["key"] ?? "").raw(random(19));
  const parameters = (data["parameters"] ?? "").split(",").filter(Boolean);
  writer.varint(parameters.length);
  parameters.forEach((parameter) => writer.text(parameter.trim()));
  writer.map({
    "device.class": deviceClass(),
    language: navigator.language,
    "viewport.width": innerWidth,
  });
  writer.flag(navigator.globalPrivacyControl === true);
  tell(writeRecords(writer, read("consent") ? entries(RECORDS) : []));
}

function tellRecords(records: readonly Entry[]): void {
  tell(writeRecords(input(Kind.adopted), records));
}

function tellChange(key: string, value: Uint8Array | undefined): void {
  const writer = input(Kind.changed).text(key).flag(!!value);
  tell(value ? writer.bytes(value) : writer);
}

function writeRecords(writer: ReturnType<typeof input>, records: readonly Entry[]): typeof writer {
  writer.varint(records.length);
  for (const [key, value] of records) writer.text(key).bytes(value);
  return writer;
}

/** A page that is rendered ahead has no visitor yet. */
async function visible(): Promise<void> {
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
  }
}

function deviceClass(): string {
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPad|Tablet|Android(?!.*Mobile)/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) {
    return "tablet";
  }
  return /Mobi/.test(userAgent) ? "mobile" : "desktop";
}
