/** The interfaces of the IAB: TCF 2.3 (`__tcfapi`) and GPP 1.1 (`__gpp`), in this window or, by messages, in one above. */
import { ASKS, GPP, NOTHING, SAYS, TCF, until } from "./sources";
import type { SayString } from "./strings";

type Heard<Data> = (data: Data | undefined, success: boolean) => void;

type TcData = { gdprApplies?: boolean; eventStatus?: string; cmpStatus?: string; tcString?: string };
type GppEvent = { eventName?: string; pingData?: Ping };
type Ping = {
  signalStatus?: string;
  cmpDisplayStatus?: string;
  gppString?: string;
  applicableSections?: readonly number[];
};

export function readTcf(say: SayString): void {
  let isAnswered = false;
  listen<TcData>("__tcfapi", (data, success) => {
    const { gdprApplies, eventStatus, cmpStatus, tcString = "" } = data ?? {};
    if (!success || cmpStatus === "error") say(TCF, ASKS);
    else if (gdprApplies === false) say(TCF, NOTHING);
    else if (gdprApplies && /^(tcloaded|useractioncomplete)$/.test(`${eventStatus}`)) {
      isAnswered = true;
      say(TCF, SAYS, tcString);
    } else if (gdprApplies && eventStatus === "cmpuishown" && !isAnswered) say(TCF, ASKS);
  });
}

export function readGpp(say: SayString): void {
  let isAnswered = false;
  listen<GppEvent>("__gpp", (event, success) => {
    const { signalStatus, cmpDisplayStatus, gppString = "", applicableSections = [] } = event?.pingData ?? {};
    if (!success || event?.eventName === "error") say(GPP, ASKS);
    else if (signalStatus === "ready") {
      isAnswered = true;
      const sections = applicableSections.filter((id) => id > 0);
      if (sections.length) say(GPP, SAYS, gppString, sections);
      else say(GPP, NOTHING);
    } else if (cmpDisplayStatus === "visible" && !isAnswered) say(GPP, ASKS);
  });
}

/** Registers for a platform's events, as soon as it is there. */
function listen<Data>(name: "__tcfapi" | "__gpp", heard: Heard<Data>): void {
  const command = "addEventListener";
  until(() => {
    const api = (window as unknown as Record<string, unknown>)[name];
    if (typeof api === "function") {
      if (name === "__gpp") api(command, heard);
      else api(command, 2, heard);
      return true;
    }
    const frame = above(name + "Locator");
    if (!frame) return false;
    const callId = `selvedge${name}`;
    addEventListener("message", ({ data, source }) => {
      if (source !== frame) return;
      const { returnValue, success, callId: id } = parsed(data)?.[name + "Return"] ?? {};
      if (id === callId) heard(returnValue as Data, !!success);
    });
    frame.postMessage({ [name + "Call"]: { command, version: name === "__gpp" ? "1.1" : 2, callId } }, "*");
    return true;
  });
}

type Reply = { readonly [key: string]: { returnValue?: unknown; success?: boolean; callId?: string } | undefined };

function parsed(data: unknown): Reply | undefined {
  try {
    return (typeof data === "string" ? JSON.parse(data) : data) as Reply;
  } catch {
    return undefined;
  }
}

/** The nearest window above this one that has a frame of this name. */
function above(locator: string): Window | undefined {
  for (let frame: Window = window; frame !== top; ) {
    frame = frame.parent;
    try {
      if (frame.frames[locator as unknown as number]) return frame;
    } catch {
      // A window of another origin without such a frame.
    }
  }
  return undefined;
}
