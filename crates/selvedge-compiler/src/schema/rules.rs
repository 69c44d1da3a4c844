//! rules.yaml.

use super::{DURATION, Form, Key, PURPOSE, key, required};

const SET: Form = Form::Either(&[
    Form::Flag,
    Form::Number,
    Form::Text,
    Form::Object(&[required("property", Form::Text, "the event's property that it is set to")]),
]);

const ATTRIBUTE: &[Key] = &[
    required("type", Form::Word(&["text", "number", "bool", "money", "time", "list"]), "what it is"),
    required(
        "from",
        Form::Word(&["session", "visitor", "profile", "account", "context"]),
        "whose it is, and how long it lives",
    ),
    key("set", Form::Map(&SET), "events that change it, and to what"),
    key("ttl", DURATION, "how long a value counts"),
    key("if_stale", Form::Word(&["unknown", "missing"]), "what it is after that"),
    key("private", Form::Flag, "it never reaches a page"),
];

const WARM_UP: Form = Form::Word(&["log", "zero"]);

const METRIC: &[Key] = &[
    required("measure", Form::Text, "what is measured: `count purchase in ever`"),
    key("warm_up", WARM_UP, "how it begins with visitors who were there before"),
];

const SCORE: &[Key] = &[
    required("half_life", DURATION, "after so long half of it is left"),
    required("add", Form::Map(&Form::Number), "events, with `where` if need be, and their points"),
    key("min", Form::Number, "never below"),
    key("max", Form::Number, "never above"),
    key("of", Form::Word(&["session", "visitor", "profile", "account"]), "whose it is"),
    key("warm_up", WARM_UP, "how it begins with visitors who were there before"),
];

const CAP: Form = Form::Text;

const RULE_CAP: Form = Form::Either(&[
    Form::Text,
    Form::Object(&[
        key("shown", Form::Text, "how often it may be seen"),
        key("dismissals", Form::Text, "how often it may be dismissed"),
    ]),
]);

const SCHEDULE: &[Key] = &[
    key("from", Form::Text, "its first day: `2026-12-01`"),
    key("until", Form::Text, "its last day"),
    key("days", Form::Items(&Form::Text), "`mon-fri`, or a list of days of the week"),
    key("hours", Form::Text, "`08:00-18:00`"),
    key("timezone", Form::Text, "whose clock: `site`, `visitor_local`, or a zone: `America/New_York`"),
    key("except", Form::Items(&Form::Text), "days left out: `2026-05-01`, `12-24..12-26`"),
];

const UNIT: Form = Form::Word(&["visitor", "user_or_visitor"]);

const APPLIES_TO: &[Key] = &[
    key("groups", Form::Items(&Form::Text), "rules of these groups"),
    key("rules", Form::Items(&Form::Text), "these rules"),
];

const HOLDOUT: &[Key] = &[
    required("share", Form::Text, "how many are held out: `5%`"),
    required("salt", Form::Text, "what draws them; another salt draws others"),
    key("unit", UNIT, "who is drawn"),
    key("applies_to", Form::Object(APPLIES_TO), "the rules they are held out from"),
];

const SUPPRESSION: &[Key] = &[
    required("name", Form::Text, "its name, in reasons"),
    required("when", Form::Text, "the condition: while it is true, the rules do not act"),
    key("on_unknown", Form::Word(&["suppress", "allow"]), "what is done while the condition is unknown"),
    key("applies_to", Form::Object(APPLIES_TO), "the rules that yield to it"),
];

const VARIANT: &[Key] = &[
    required("share", Form::Whole(0, 1_000_000), "its share of all shares"),
    key(
        "content",
        Form::Either(&[Form::Text, Form::Map(&Form::Text)]),
        "what is shown, or what by slot; a control shows the fallback",
    ),
];

const EXPERIMENT: &[Key] = &[
    key("unit", UNIT, "who is drawn"),
    key("salt", Form::Text, "what draws them; its name where it is left out"),
    key("layer", Form::Text, "experiments of one layer exclude each other"),
    key("traffic", Form::Text, "the part of everybody that takes part: `20%`, `0%-50%`"),
    key("primary", Form::Text, "the goal it is judged by"),
    key("guardrails", Form::Items(&Form::Text), "goals that must not suffer"),
    required("variants", Form::Map(&Form::Object(VARIANT)), "what it compares"),
];

const GROUP: &[Key] = &[
    key("max_per_page", Form::Whole(1, 256), "how many of its rules may stand in one page view"),
    key("cap", CAP, "how often all of its rules together may be seen"),
];

const SHOW: &[Key] = &[required("slot", Form::Text, "where"), required("content", Form::Text, "what")];

const EMIT: &[Key] = &[
    required("to", Form::Text, "the destination"),
    required("enter", Form::Text, "the audience or event that the visitor enters"),
    key("exit_when", Form::Text, "the condition that sends a member out again"),
    key(
        "fields",
        Form::Either(&[Form::List(&Form::Text), Form::Map(&Form::Text)]),
        "facts that are told along, each under a name",
    ),
    key("once_per", Form::Text, "how seldom somebody enters: `session`, `visitor`, `24h`"),
];

const RULE: &[Key] = &[
    key("emit", Form::Object(EMIT), "what it tells a destination"),
    required("id", Form::Text, "its name for ever: caps are kept under it"),
    key("when", Form::Text, "the condition; always true where it is left out"),
    key("show", Form::Object(SHOW), "what it shows where"),
    key("group", Form::Text, "its exclusion group"),
    key("priority", Form::Whole(-2_147_483_648, 2_147_483_647), "greater wins"),
    key("cap", RULE_CAP, "how often it may be seen: `2 per session`, `1 per session, 3 per 14d`"),
    key("until", Form::Text, "a condition that ends it"),
    key("schedule", Form::Object(SCHEDULE), "when it acts at all"),
    key("service", Form::Flag, "a notice: needs no consent, exempt from holdouts and shared caps"),
    key("experiment", Form::Text, "the experiment that it belongs to"),
    key("hold", Form::Either(&[Form::Word(&["page", "session"]), DURATION]), "how long it stays"),
    key("status", Form::Word(&["live", "draft", "paused"]), "whether it acts"),
    key("purpose", PURPOSE, "what must be granted for it to act"),
    key("private", Form::Flag, "it never reaches a page"),
    key(
        "trigger",
        Form::Either(&[Form::Text, Form::List(&Form::Text)]),
        "events, or `session_end`, at which alone it is considered",
    ),
    key("after", DURATION, "so long after its moment; then it is asked again"),
];

/// rules.yaml.
pub const RULES: Form = Form::Object(&[
    key("attributes", Form::Map(&Form::Object(ATTRIBUTE)), "values that are kept"),
    key(
        "metrics",
        Form::Map(&Form::Either(&[Form::Text, Form::Object(METRIC)])),
        "what is measured: `count purchase in 30d`",
    ),
    key("scores", Form::Map(&Form::Object(SCORE)), "points that fade"),
    key("audiences", Form::Map(&Form::Text), "conditions with a name"),
    key("groups", Form::Map(&Form::Object(GROUP)), "rules that share a cap, or exclude each other"),
    key("suppress", Form::List(&Form::Object(SUPPRESSION)), "conditions that keep rules from acting"),
    key("experiments", Form::Map(&Form::Object(EXPERIMENT)), "what is compared"),
    key("holdout", Form::Object(HOLDOUT), "visitors who are shown nothing, to compare with"),
    key("caps", CAP, "how often anything at all may be seen"),
    key("rules", Form::List(&Form::ObjectWith(RULE, &["show", "emit"])), "condition -> content in a slot"),
]);
