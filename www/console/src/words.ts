// What reasons and codes mean, in one sentence each.

/** Why a decision is as it is, or why a rule lost. */
export const REASONS: Readonly<Record<string, string>> = {
  won: "Its condition is true, and nothing stood above it.",
  held: "It won earlier in this page view or hold time, and stays.",
  fallback: "No rule won: the slot shows its fallback.",
  lower_priority: "True, but a rule of higher priority won the slot.",
  capped: "True, but its cap is used up.",
  no_grant: "True, but no grant of its cap is at hand.",
  excluded_by_group: "True, but another rule of its group stands.",
  paused: "The rule is paused.",
  draft: "The rule is a draft.",
  no_purpose: "The visitor has not granted its purpose.",
  false: "Its condition is false.",
  unknown: "Something its condition tests is not known.",
  runs_at_edge: "It needs what only the edge knows.",
};

/** Why an event was refused. */
export const CODES: Readonly<Record<string, string>> = {
  no_consent: "No purpose of the event was granted.",
  undecodable: "The bytes or the JSON could not be read.",
  invalid_text: "A text is not valid Unicode.",
  not_finite: "A number is not finite.",
  too_large: "The event, a text or a count is above its limit.",
  too_deep: "Nested deeper than allowed.",
  unknown_event: "The tracking plan does not know this event. Add it to tracking-plan.yaml, or correct its name.",
  required_missing: "A required property is missing.",
  wrong_type: "A property has another type than the tracking plan says.",
  not_in_enum: "A property's value is not among those that the tracking plan lists.",
  additional_property: "The tracking plan does not list this property, and allows no others.",
  too_old: "Its writer is older than what can be told apart from duplicates.",
  sequence_gap: "Its sequence is too far ahead of what was received.",
  poison: "The event made the step fail twice.",
  untrusted: "The source is not trusted enough for this event.",
  dictionary_unknown: "It abbreviates names by another tracking plan.",
  erased: "The visitor was erased: nothing of theirs is taken under this id any more.",
};

/** The tone of a reason: whether the rule acts, could act, or cannot. */
export function toneOf(reason: string): "good" | "warn" | "quiet" {
  if (reason === "won" || reason === "held") return "good";
  return ["lower_priority", "capped", "no_grant", "excluded_by_group", "no_purpose", "unknown"].includes(reason) ? "warn" : "quiet";
}
