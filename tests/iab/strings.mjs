// Random consent strings, made and read by the IAB's own libraries. What goes in: a seed and a count. What comes out: a
// JSON line for each string, with what those libraries say of it. Lines of kind `tcf` and `gpp` take turns.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../www/package.json', import.meta.url));
const { TCModel, TCString, PurposeRestriction, PurposeRestrictionVector, SegmentEncoder, Segment, RestrictionType } =
  require('@iabtechlabtcf/core');
const { GppModel, Sections } = require('@iabgpp/cmpapi');

const [seed, count] = process.argv.slice(2).map(Number);
const PURPOSES = Array.from({ length: 24 }, (_, at) => at + 1);
const FEATURES = Array.from({ length: 12 }, (_, at) => at + 1);

/** xorshift32: the same strings for the same seed. */
let state = (seed * 2654435761) >>> 0 || 1;
const random = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 4294967296;
};
const below = (bound) => Math.floor(random() * bound);
const some = (from, share) => from.filter(() => random() < share);
const share = () => [0, 0.1, 0.5, 0.9, 1][below(5)];

/** Vendors in clumps, so that ranges and fields of bits are both the shorter form now and then. */
function vendors(max) {
  const found = new Set();
  for (let clump = below(6); clump > 0; clump--) {
    const first = 1 + below(max);
    for (let vendor = first; vendor < first + below(60) && vendor <= max; vendor++) found.add(vendor);
    if (random() < 0.5) found.add(1 + below(max));
  }
  return [...found].sort((one, other) => one - other);
}

function model(max) {
  const tc = new TCModel();
  tc.cmpId = 2 + below(4000);
  tc.cmpVersion = 2 + below(4000);
  tc.consentScreen = below(64);
  tc.vendorListVersion_ = 1 + below(4000);
  tc.policyVersion = 4 + below(3);
  tc.isServiceSpecific = true;
  tc.purposeOneTreatment = random() < 0.2;
  tc.publisherCountryCode = 'DE';
  tc.specialFeatureOptins.set(some(FEATURES, share()));
  tc.purposeConsents.set(some(PURPOSES, share()));
  tc.purposeLegitimateInterests.set(some(PURPOSES, share()));
  tc.vendorConsents.set(vendors(max));
  tc.vendorLegitimateInterests.set(vendors(max));
  tc.vendorsDisclosed.set(vendors(max));
  tc.publisherConsents.set(some(PURPOSES, share()));
  tc.publisherLegitimateInterests.set(some(PURPOSES, share()));
  tc.publisherRestrictions = restrictions(max);
  return tc;
}

function restrictions(max) {
  const vector = new PurposeRestrictionVector();
  for (let purpose = below(5); purpose > 0; purpose--) {
    const restriction = new PurposeRestriction(1 + below(11), below(3));
    for (const vendor of vendors(max)) vector.add(vendor, restriction);
  }
  // The encoder asks the vendor list which vendors there are between two: here all of them.
  Object.defineProperty(vector, 'gvl', { value: { vendorIds: { has: () => true } } });
  return vector;
}

function tcText(tc) {
  const segments = [SegmentEncoder.encode(tc, Segment.CORE)];
  const more = [];
  if (random() < 0.8) more.push(SegmentEncoder.encode(tc, Segment.VENDORS_DISCLOSED));
  if (random() < 0.5) more.push(SegmentEncoder.encode(tc, Segment.PUBLISHER_TC));
  if (random() < 0.5) more.reverse();
  return [...segments, ...more].join('.');
}

/** What the library reads out of the string: of all purposes, and of some vendors with their neighbours. */
function readTc(text) {
  const tc = TCString.decode(text);
  const near = new Set([1, 65535]);
  const sets = [tc.vendorConsents, tc.vendorLegitimateInterests, tc.vendorsDisclosed];
  for (const set of sets) {
    set.forEach((has, vendor) => {
      if (has && random() < 0.05) [vendor - 1, vendor, vendor + 1].forEach((one) => one > 0 && near.add(one));
    });
    if (set.maxId > 0) near.add(set.maxId);
  }
  return {
    consents: PURPOSES.filter((purpose) => tc.purposeConsents.has(purpose)),
    interests: PURPOSES.filter((purpose) => tc.purposeLegitimateInterests.has(purpose)),
    features: FEATURES.filter((feature) => tc.specialFeatureOptins.has(feature)),
    publisher_consents: PURPOSES.filter((purpose) => tc.publisherConsents.has(purpose)),
    publisher_interests: PURPOSES.filter((purpose) => tc.publisherLegitimateInterests.has(purpose)),
    vendors: [...near].map((vendor) => readVendor(tc, vendor)),
  };
}

function readVendor(tc, vendor) {
  const restricted = (purpose, type) =>
    tc.publisherRestrictions.vendorHasRestriction(vendor, new PurposeRestriction(purpose, type));
  const types = [RestrictionType.NOT_ALLOWED, RestrictionType.REQUIRE_CONSENT, RestrictionType.REQUIRE_LI];
  return {
    vendor,
    consent: tc.vendorConsents.has(vendor),
    interest: tc.vendorLegitimateInterests.has(vendor),
    disclosed: tc.vendorsDisclosed.has(vendor),
    restricted: PURPOSES.flatMap((purpose) =>
      types.filter((type) => restricted(purpose, type)).map((type) => [purpose, type])),
  };
}

const US = Sections.SECTION_ID_NAME_MAP
  ? [...Sections.SECTION_ID_NAME_MAP.entries()].filter(([id]) => id >= 7)
  : [];

function gppText() {
  const gpp = new GppModel();
  for (const [, name] of some(US, share())) fillUs(gpp, name);
  if (random() < 0.4) fillTcf(gpp, 'tcfeuv2', ['PurposeConsents', 'PurposeLegitimateInterests']);
  if (random() < 0.4) fillTcf(gpp, 'tcfcav1', ['PurposesExpressConsent', 'PurposesImpliedConsent']);
  if (random() < 0.4) gpp.setFieldValue('uspv1', 'OptOutSale', ['Y', 'N', '-'][below(3)]);
  return gpp.encode();
}

function fillUs(gpp, name) {
  // Begins the section with the values of its own.
  gpp.setFieldValue(name, 'SaleOptOut', below(3));
  for (const field of ['SharingOptOut', 'TargetedAdvertisingOptOut', 'ProcessingNotice', 'SharingNotice']) {
    if (gpp.hasField(name, field)) gpp.setFieldValue(name, field, below(3));
  }
  if (gpp.hasField(name, 'Gpc')) {
    gpp.setFieldValue(name, 'GpcSegmentIncluded', random() < 0.7);
    gpp.setFieldValue(name, 'Gpc', random() < 0.5);
  }
  if (gpp.hasField(name, 'SensitiveDataProcessing')) {
    const values = gpp.getFieldValue(name, 'SensitiveDataProcessing');
    gpp.setFieldValue(name, 'SensitiveDataProcessing', values.map(() => below(3)));
  }
}

function fillTcf(gpp, name, fields) {
  for (const field of fields) gpp.setFieldValue(name, field, PURPOSES.map(() => random() < 0.7));
  if (name !== 'tcfeuv2') return;
  gpp.setFieldValue(name, 'IsServiceSpecific', true);
  gpp.setFieldValue(name, 'PolicyVersion', 4);
  gpp.setFieldValue(name, 'VendorConsents', vendors(300));
}

function readGpp(text) {
  const gpp = new GppModel(text);
  return gpp.getSectionIds().map((id) => readSection(gpp, id));
}

function readSection(gpp, id) {
  const name = gpp.getSection(id)?.constructor?.NAME ?? Sections.SECTION_ID_NAME_MAP.get(id);
  const value = (field) => (gpp.hasField(name, field) ? gpp.getFieldValue(name, field) : null);
  const purposes = (field) => PURPOSES.filter((purpose) => value(field)?.[purpose - 1]);
  if (name === 'tcfeuv2') return { id, tc: gpp.encodeSection(name), consents: purposes('PurposeConsents') };
  if (name === 'tcfcav1') {
    const either = new Set([...purposes('PurposesExpressConsent'), ...purposes('PurposesImpliedConsent')]);
    return { id, consents: [...either].sort((one, other) => one - other) };
  }
  if (name === 'uspv1') return { id, sale: value('OptOutSale') === 'Y' ? 1 : 0 };
  const outs = ['SaleOptOut', 'SharingOptOut', 'TargetedAdvertisingOptOut'].map(value).filter((out) => out !== null);
  return { id, sale: outs[0], is_out: outs.includes(1), gpc: value('Gpc') === true };
}

for (let made = 0; made < count; made++) {
  if (made % 2 === 0) {
    const text = tcText(model([20, 300, 1500][below(3)]));
    console.log(JSON.stringify({ kind: 'tcf', text, ...readTc(text) }));
  } else {
    const text = gppText();
    console.log(JSON.stringify({ kind: 'gpp', text, sections: readGpp(text) }));
  }
}
