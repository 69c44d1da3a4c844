// The platform of the IAB for tests: strings made by its own libraries, what it looks like in a page, and how it says what a test tells it to.
import { createRequire } from 'node:module';
import { repository } from './world.mjs';

const require = createRequire(`${repository}www/package.json`);
const { TCModel, SegmentEncoder, Segment } = require('@iabtechlabtcf/core');
const { GppModel } = require('@iabgpp/cmpapi');

const VENDOR = 755;

/** A TC string: consent to these purposes of the framework, for our vendor. */
export function tc(purposes) {
  const model = new TCModel();
  Object.assign(model, { cmpId: 31, cmpVersion: 2, vendorListVersion_: 80, policyVersion: 5, isServiceSpecific: true, publisherCountryCode: 'DE' });
  model.purposeConsents.set(purposes);
  model.vendorConsents.set(purposes.length ? [VENDOR] : []);
  model.vendorsDisclosed.set([VENDOR]);
  return [Segment.CORE, Segment.VENDORS_DISCLOSED].map((segment) => SegmentEncoder.encode(model, segment)).join('.');
}
export const ALL = tc([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
export const ANALYTICS = tc([1, 8, 9, 10]);
export const NONE = tc([]);

/** A GPP string of the national section. */
export function gpp(isOut) {
  const model = new GppModel();
  model.setFieldValue('usnat', 'SaleOptOut', isOut ? 1 : 2);
  return model.encode();
}

/** FNV-1a, 64 bits: what names a string in a snapshot. */
export function hash(text) {
  let sum = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return sum.toString(16).padStart(16, '0');
}

/** The platform of the IAB in a page: says what a test tells it to, also to frames. */
export const IAB = `<script>
  window.cmp = { tcf: [], gpp: [], last: {} };
  cmp.say = (kind, data, success = true) => {
    cmp.last[kind] = [data, success];
    for (const listener of cmp[kind]) listener(data, success);
  };
  const join = (kind, listener) => {
    cmp[kind].push(listener);
    if (cmp.last[kind]) listener(...cmp.last[kind]);
  };
  cmp.install = (tcf, gpp) => {
    if (tcf) window.__tcfapi = (command, version, listener) =>
      command === 'addEventListener' && version === 2 && join('tcf', listener);
    if (gpp) window.__gpp = (command, listener) => command === 'addEventListener' && join('gpp', listener);
  };
  addEventListener('message', ({ data, source }) => {
    const text = typeof data === 'string';
    const read = text ? JSON.parse(data) : data;
    const answer = (name, callId) => (returnValue, success) => {
      const reply = { [name]: { returnValue, success, callId } };
      source.postMessage(text ? JSON.stringify(reply) : reply, '*');
    };
    if (read?.__tcfapiCall) __tcfapi(read.__tcfapiCall.command, 2, answer('__tcfapiReturn', read.__tcfapiCall.callId));
    if (read?.__gppCall) __gpp(read.__gppCall.command, answer('__gppReturn', read.__gppCall.callId));
  });
</script>`;

/** What a site names to hear it. */
export const TCF = `  sources:\n    tcf: {vendor: ${VENDOR}}`;
export const say = (page, kind, data, success = true) => page.evaluate(([kind, data, success]) => cmp.say(kind, data, success), [kind, data, success]);
export const tcf = (page, eventStatus, tcString, gdprApplies = true) => say(page, 'tcf', { eventStatus, tcString, gdprApplies });
