/**
 * The lazy chunk: where the visitor's id stands besides the device's storage. In a first-party cookie that the edge sets, and that
 * brings the visitor back once the browser has cleared the storage; and in links to the site's other domains. Everything only
 * with consent: nothing is read, set or handed on before something beyond the necessary is granted.
 */
import { fromHex, Reader, toHex } from "./decode";
import { Writer } from "./encode";
import type { Selvedge } from "./types";

/** As the site's config says it: `cookie` with its domain (empty: the host alone), `link` with a domain. */
export type Identity = readonly (readonly [kind: string, domain: string])[];

/** What the page's hands lend: a chunk shares no state with them. */
export type Ground = {
  readonly site: string;
  readonly api: Pick<Selvedge, "consent" | "on">;
  read(key: string): Uint8Array | undefined;
  write(key: string, value: Uint8Array): void;
  /** Whose page this is; nothing: nobody's who is known. */
  tell(record?: Uint8Array): void;
  /** What batches ask the edge for. */
  askWith(asked: () => string): void;
  /** The device forgets the visitor. */
  onForgotten(callback: () => void): void;
  /** The address was changed, and it is the same page. */
  moved(): void;
};

/** A visitor's id (32 hexadecimal digits), and when it was minted: Unix milliseconds. */
type Known = { readonly id: string; readonly minted: number };

const PARAMETER = "_sv";
const LINK_MS_MAX = 120_000;
/** 13 months, as `EXEMPT_VISITOR_MS_MAX` of the core has it. */
const AGE_MS_MAX = 393 * 24 * 3_600_000;
/** A browser that takes no cookie is not asked for ever. */
const ASKS_MAX = 3;
/** When an answer may have come: none takes longer than 30 s. */
const ANSWERS_MS = [100, 400, 2_000, 10_000, 31_000];
const ID_BYTES = 16;

export function openIdentity(identity: Identity, ground: Ground): void {
  const domain = identity.find(([kind]) => kind === "cookie")?.[1];
  const links = identity.filter(([kind]) => kind === "link").map(([, host]) => host);
  const name = `selvedge_${ground.site}`;
  let handed = links.length ? takeHanded(links, ground.moved) : undefined;
  let isTold = false;
  let asked = 0;

  const isOpen = (): boolean => {
    const { analytics, personalization, advertising } = ground.api.consent();
    return analytics || personalization || advertising;
  };
  const cookie = (): Known | undefined => (domain === undefined ? undefined : fromCookie(name));
  const mine = (): Known | undefined => (isOpen() ? recordOf(ground.read("visitor")) : undefined);

  /** Once there is consent, the page learns whose it is. */
  const recall = (): void => {
    if (isTold || !isOpen()) return;
    isTold = true;
    const isFresh = handed && Date.now() - handed.at < LINK_MS_MAX;
    const known = mine() ?? (isFresh ? handed : undefined) ?? cookie();
    handed = undefined;
    if (!known) return ground.tell();
    const record = recordFor(known);
    if (!ground.read("visitor")) ground.write("visitor", record);
    ground.tell(record);
  };

  ground.onForgotten(() => {
    handed = undefined;
    if (domain === undefined) return;
    dropCookie(name, domain);
    // An answer that is on its way may still set it.
    for (const delayMs of ANSWERS_MS) {
      setTimeout(() => {
        const left = cookie();
        if (left && left.id !== mine()?.id) dropCookie(name, domain);
      }, delayMs);
    }
  });
  if (domain !== undefined) {
    ground.askWith(() => {
      const known = mine();
      if (!known || cookie()?.id === known.id || asked >= ASKS_MAX) return "";
      asked += 1;
      return `?id=${known.id}.${known.minted}`;
    });
  }
  if (links.length) watchLinks(links, mine);
  ground.api.on("consent", recall);
  recall();
}

function recordOf(record: Uint8Array | undefined): Known | undefined {
  if (!record) return undefined;
  const reader = new Reader(record.subarray(ID_BYTES));
  reader.varint();
  return { id: toHex(record.subarray(0, ID_BYTES)), minted: reader.varint() };
}

/** As `write_visitor` of crates/selvedge-client has it. The clock's skew is measured anew. */
function recordFor({ id, minted }: Known): Uint8Array {
  return new Writer().raw(fromHex(id)).varint(0).varint(minted).done();
}

function fromCookie(name: string): Known | undefined {
  try {
    const [, id = "", minted = ""] = new RegExp(`(?:^|; )${name}=([0-9a-f]{32})\\.(\\d{1,15})(?:;|$)`).exec(document.cookie) ?? [];
    return id && Date.now() - +minted < AGE_MS_MAX ? { id, minted: +minted } : undefined;
  } catch {
    return undefined;
  }
}

function dropCookie(name: string, domain: string): void {
  try {
    document.cookie = `${name}=; Max-Age=0; Path=/; Secure; SameSite=Lax${domain && `; Domain=${domain}`}`;
  } catch {
    // Where no cookie may be set there is none.
  }
}

const isWithin = (host: string, domains: readonly string[]): boolean =>
  domains.some((domain) => host === domain || host.endsWith(`.${domain}`));

/** What the link that led here hands on, if it is fresh, from one of the site's domains, for this host and this browser. It goes from the address. */
function takeHanded(domains: readonly string[], moved: () => void): (Known & { at: number }) | undefined {
  const url = new URL(location.href);
  const said = url.searchParams.get(PARAMETER);
  if (said === null) return undefined;
  // The rest of the address stays as it was written.
  const search = url.search.slice(1).split("&").filter((part) => !part.startsWith(`${PARAMETER}=`)).join("&");
  url.search = search;
  // Not by the page's own `history.replaceState`: nothing changed for it.
  History.prototype.replaceState.call(history, history.state, "", url);
  moved();
  const [id = "", minted = "", at = "", check] = said.split(".");
  const known = { id, minted: parseInt(minted, 36), at: parseInt(at, 36) };
  const age = Date.now() - known.at;
  const isSound = /^[0-9a-f]{32}$/.test(id) && check === checkOf(id, minted, at, location.hostname);
  const isOurs = isWithin(hostOf(document.referrer), domains);
  const isYoung = Date.now() - known.minted < AGE_MS_MAX;
  return isSound && isOurs && isYoung && Math.abs(age) < LINK_MS_MAX ? known : undefined;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "";
}

/** Links to the other domains of the site say who follows them, for the moment of the click. */
function watchLinks(domains: readonly string[], mine: () => Known | undefined): void {
  const clicked = (event: Event): void => {
    const link = event.composedPath().find((found) => found instanceof HTMLAnchorElement);
    const known = link && leadsOn(link, domains) ? mine() : undefined;
    if (!link || !known) return;
    const [minted, at] = [known.minted.toString(36), Date.now().toString(36)];
    const said = [known.id, minted, at, checkOf(known.id, minted, at, link.hostname)].join(".");
    const before = link.getAttribute("href") ?? "";
    link.search += `${link.search ? "&" : "?"}${PARAMETER}=${said}`;
    const decorated = link.getAttribute("href");
    setTimeout(() => {
      if (link.getAttribute("href") === decorated) link.setAttribute("href", before);
    });
  };
  for (const kind of ["click", "auxclick"]) addEventListener(kind, clicked, { capture: true, passive: true });
}

/** To another host of the site, not in the open where this page is not, and not by way of an address that redirects. */
function leadsOn({ protocol, hostname, search, hash }: HTMLAnchorElement, domains: readonly string[]): boolean {
  const isSafe = protocol === "https:" || protocol === location.protocol;
  const isRedirect = /(:|%3a)?(\/|%2f|\\|%5c){2}/i.test(search + hash);
  return isSafe && !isRedirect && hostname !== location.hostname && isWithin(hostname, domains);
}

/** FNV-1a, 32 bits: a link that went astray to another host or browser is not taken. It is no signature. */
function checkOf(...parts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const letter of [...parts, navigator.userAgent].join(".")) {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash.toString(36);
}
