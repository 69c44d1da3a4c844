/** Reads the consent platforms of the page, and tells the head what they say. Loaded only where the site's config names any. */
import type { Notices } from "../types";
import { readGpp, readTcf } from "./iab";
import { readConsentMode, tellConsentMode } from "./mode";
import { readPlatform } from "./platform";
import { readingStrings } from "./strings";
import { ABSENT, ALL, CONSENT_MODE, DNT, GPP, NOTHING, PLATFORM, SAYS, TCF, type Say, type Sources } from "./sources";

type Consent = Notices["consent"];

/**
 * `purposes` says what is in force, now and, with a callback, whenever it changes. `strings` fetches the module that reads
 * strings of the IAB.
 */
export function open(
  sources: Sources,
  region: string,
  say: Say,
  purposes: (changed?: (consent: Consent) => void) => Consent,
  strings: () => Promise<Response>,
): void {
  const { read, wait, platform, tell } = sources;
  let met = 0;
  const hear: Say = (source, ...what) => {
    met |= source;
    say(source, ...what);
  };
  if (read & DNT) hear(DNT, navigator.doNotTrack === "1" ? SAYS : NOTHING, 0, ALL);
  if (read & (TCF | GPP)) {
    const hearString = readingStrings(sources, strings(), hear);
    if (read & TCF) readTcf(hearString);
    if (read & GPP) readGpp(hearString);
  }
  const isHeld = read & CONSENT_MODE && readConsentMode(hear, region);
  if (read & PLATFORM && platform) readPlatform(hear, platform);
  // Who said nothing by now is not waited for any longer, and heard all the same when it comes. A default may say how long itself.
  setTimeout(() => {
    const silent = read & ~met & ~(isHeld && isHeld() ? CONSENT_MODE : 0);
    if (silent) say(silent, ABSENT);
  }, wait);
  if (tell) tellConsentMode(purposes(tellConsentMode));
}
