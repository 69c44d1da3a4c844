//! site.yaml.

use super::{DURATION, Form, Key, key, required};

const SOURCE: &[Key] = &[
    required("type", Form::Word(&["browser", "server"]), "what sends: pages, or your own servers"),
    required("key", Form::Text, "a browser's write key, or the name of the secret that holds a server's"),
];

const MODE: Form = Form::Word(&["opt-in", "opt-out"]);

const CONSENT: &[Key] = &[
    required("mode", MODE, "what no answer means: opt-in is no, opt-out is yes"),
    key("policy_version", Form::Whole(1, 65_535), "a new one asks every visitor again"),
    key("regions", Form::Map(&MODE), "countries (two capital letters) where no answer means something else"),
];

const SLOT: &[Key] = &[
    key("fallback", Form::Text, "the content that shows where no rule has the slot"),
    key("cap", Form::Text, "how often its rules together may be seen"),
    key("selector", Form::Text, "elements that are the slot without a mark, as a CSS selector"),
];

const COLUMN: Form = Form::Word(&["text", "number", "money", "bool", "time"]);

const LOOKUP: &[Key] = &[
    required("key", Form::Text, "the column that rows are found by"),
    required(
        "from",
        Form::Pattern("^(csv .+|push)$"),
        "`csv catalog.csv`, a file of the site's folder; or `push`",
    ),
    key("columns", Form::Map(&COLUMN), "what the cells of columns are; else it is read off them"),
    key("ttl", DURATION, "how long a pushed row is known"),
    key("if_stale", Form::Word(&["unknown", "keep"]), "what a pushed row is past its `ttl`"),
];

const DESTINATION: &[Key] = &[
    required("type", Form::Word(&["http", "kafka", "queue", "log"]), "how it is told"),
    required("purposes", Form::Items(&super::PURPOSE), "what must be granted for anything to leave"),
];

const KEEP: &[Key] = &[required("keep", super::DURATION, "how long, from receipt on")];

const GOAL: &[Key] = &[
    required("event", Form::Text, "the event that reaches it"),
    key("value", Form::Text, "the event's property that says what it is worth"),
    key("trust", Form::Word(&["client", "server"]), "who must say so"),
    key("within", super::DURATION, "how long after an exposure it counts"),
];

const LIST_FILE: &[Key] = &[
    required("csv", Form::Text, "a CSV file of the site's folder"),
    key("column", Form::Text, "the column; the first where it is left out"),
];

/// site.yaml.
pub const SITE: Form = Form::Object(&[
    required("name", Form::Text, "the site, in addresses and in the log"),
    required("currency", Form::Pattern("^[A-Z]{3}$"), "the one currency of amounts: ISO 4217"),
    key("timezone", Form::Text, "the IANA name of the time zone of days, hours and schedules"),
    key("language", Form::Text, "the language of contents that name none: BCP 47"),
    key("late_events", DURATION, "how late an event may come and still count"),
    required("sources", Form::Map(&Form::Object(SOURCE)), "where events enter"),
    key("origins", Form::List(&Form::Text), "pages elsewhere that may send to a browser source"),
    key("consent", Form::Object(CONSENT), "the consent policy"),
    key("slots", Form::Map(&Form::Object(SLOT)), "the named places of the pages"),
    key("log", Form::Object(KEEP), "how long rows stay that every destination holds: `{keep: 7d}`"),
    key("quarantine", Form::Object(KEEP), "how long refused events stay: `{keep: 30d}`"),
    key("destinations", Form::Map(&Form::Object(DESTINATION)), "who is told of what rules emit"),
    key("goals", Form::Map(&Form::Object(GOAL)), "what counts as success"),
    key("lookups", Form::Map(&Form::Object(LOOKUP)), "tables: `catalog[page.sku].stock`"),
    key(
        "lists",
        Form::Map(&Form::Either(&[Form::List(&Form::Text), Form::Object(LIST_FILE)])),
        "lists of texts that conditions look things up in",
    ),
]);
