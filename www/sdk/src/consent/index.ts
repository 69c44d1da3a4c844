/** Reads the consent platforms of the page, and tells the head what they say. Loaded only where the site's config names any. */
import type { Notices } from "../types";
import { readGpp, readTcf } from "./iab";
import { readConsentMode, tellConsentMode } from "./mode";
import { readPlatform } from "./platform";
import { ABSENT, ALL, CONSENT_MODE, DNT, GPP, NOTHING, PLATFORM, SAYS, TCF, type Say, type Sources } from "./sources";

type Consent = Notices["consent"];

/** `purposes` says what is in force, now and, with a callback, whenever it changes. */
export function open(
  { read, wait, platform, tell }: Sources,
  region: string,
  say: Say,
  purposes: (changed?: (consent: Consent) => void) => Consent,
): void {
  let met = 0;
  const hear: Say = (source, ...what) => {
    met |= source;
    say(source, ...what);
  };
  if (read & DNT) hear(DNT, navigator.doNotTrack === "1" ? SAYS : NOTHING, 0, ALL);
  if (read & TCF) readTcf(hear);
  if (read & GPP) readGpp(hear);
  if (read & CONSENT_MODE) readConsentMode(hear, region);
  if (read & PLATFORM && platform) readPlatform(hear, platform);
  // Who said nothing by now is not waited for any longer, and heard all the same when it comes.
  setTimeout(() => read & ~met && say(read & ~met, ABSENT), wait);
  if (tell) tellConsentMode(purposes(tellConsentMode));
}
