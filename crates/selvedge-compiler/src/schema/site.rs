//! site.yaml.

use super::{DURATION, Form, Key, key, required};

const SOURCE: &[Key] = &[
    required("type", Form::Word(&["browser", "server"]), "what sends: pages, or your own servers"),
    required("key", Form::Text, "a browser's write key, or the name of the secret that holds a server's"),
];

const MODE: Form = Form::Word(&["opt-in", "opt-out", "cnil"]);

const NUMBERS: Form = Form::Items(&Form::Whole(1, 11));
const TCF: &[Key] = &[
    key(
        "vendor",
        Form::Whole(1, 65_535),
        "your number in the IAB's list: what a TC string says must allow this vendor",
    ),
    key(
        "purposes",
        Form::Object(&[
            key("analytics", NUMBERS, "purposes of the framework that analytics asks for"),
            key("personalization", NUMBERS, "those that personalization asks for"),
            key("advertising", NUMBERS, "those that advertising asks for"),
        ]),
        "which purposes of the framework each of yours asks for",
    ),
];

const NAMES: Form = Form::Items(&Form::Text);
const PRESET: Form = Form::Word(&crate::written::consent::PRESET_NAMES);
const PLATFORM: &[Key] = &[
    key("preset", PRESET, "a platform that is known: what follows changes its reading"),
    key("listen", NAMES, "events of the window, or calls that take a callback, that tell of a change"),
    key("read", Form::Text, "where the answer stands: a path from the window on"),
    key(
        "answered",
        Form::Text,
        "a path that says whether there is an answer (`!` before it turns it round); behind a dot it begins at what was read",
    ),
    key(
        "map",
        Form::Object(&[
            key("analytics", NAMES, "what has to be there for analytics"),
            key("personalization", NAMES, "what has to be there for personalization"),
            key("advertising", NAMES, "what has to be there for advertising"),
        ]),
        "what grants each purpose: words of a list, or paths that say true; all of them must",
    ),
];

const SOURCES: &[Key] = &[
    key("tcf", Form::Either(&[Form::Flag, Form::Object(TCF)]), "IAB TCF 2.3 (`__tcfapi`)"),
    key("gpp", Form::Flag, "IAB GPP 1.1 (`__gpp`): US opt-outs remove advertising"),
    key("consent_mode", Form::Flag, "Google Consent Mode v2, off the dataLayer"),
    key(
        "platform",
        Form::Either(&[PRESET, Form::Object(PLATFORM)]),
        "a consent platform with an interface of its own",
    ),
];

const CONSENT: &[Key] = &[
    required("mode", MODE, "what no answer means: opt-in is no, opt-out is yes, cnil is analytics alone"),
    key("policy_version", Form::Whole(1, 65_535), "a new one asks every visitor again"),
    key("regions", Form::Map(&MODE), "countries (two capital letters) where no answer means something else"),
    key(
        "sources",
        Form::Object(SOURCES),
        "what in the page says what the visitor answered; the strictest counts",
    ),
    key(
        "wait",
        DURATION,
        "how long a platform that says nothing is waited for; then the region's mode counts",
    ),
    key("dnt", Form::Flag, "Do Not Track denies everything but the necessary"),
    key("tell_consent_mode", Form::Flag, "tell Google's tags what is in force, as Consent Mode"),
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

const PURPOSES: Key = required(
    "purposes",
    Form::Items(&super::PURPOSE),
    "what it uses records for, and a visitor must have granted",
);
const REQUIRES: Key =
    key("requires", Form::Word(&["all", "any"]), "how many of its purposes must be granted");
const ON_UNKNOWN: Key = key(
    "on_unknown",
    Form::Word(&["drop", "hold"]),
    "what becomes of records until their visitor has answered",
);
const RECORDS: Key = key(
    "records",
    Form::Items(&Form::Word(&["event", "decision", "exposure", "goal", "emit"])),
    "the kinds of records that it takes; all where it is left out",
);
const WHEN: Key =
    key("when", Form::Text, "what a record must pass: `name = \"purchase\" and properties.value > 50 EUR`");
const SAMPLE: Key =
    key("sample", Form::Pattern("^[0-9.]+ ?%$"), "the share of visitors whose records it takes");
const REMOVE: Key =
    key("remove", Form::Items(&Form::Text), "paths that are left out: `properties.email`, `context.*`");
const RENAME: Key = key("rename", Form::Map(&Form::Text), "paths, and their last name there");
const WHEN_FULL: Key =
    key("when_full", Form::Word(&["block", "drop_oldest"]), "what gives way where too much waits for it");
const LIMITS: Key = key(
    "limits",
    Form::Object(&[
        key("age", DURATION, "how long a record may wait"),
        key("bytes", Form::Pattern("^[0-9]+ ?[kMG]B$"), "how much may wait, in each shard"),
    ]),
    "what may wait for it",
);

const TO_LOG: &[Key] =
    &[required("type", Form::Word(&["log"]), "nothing is sent: who reads the log finds it there"), PURPOSES];

const HEADER: Form = Form::Object(&[
    key("prefix", Form::Text, "what stands before the secret: `Bearer `"),
    required("secret", Form::Text, "the name of the secret"),
]);

const TO_HTTP: &[Key] = &[
    required("type", Form::Word(&["http"]), "records are sent in requests"),
    PURPOSES,
    required("url", Form::Pattern("^https?://"), "where to"),
    key(
        "format",
        Form::Word(&["cloudevents", "cloudevents-batch", "segment-batch"]),
        "what a body looks like",
    ),
    key(
        "secrets",
        Form::Items(&Form::Text),
        "names of the secrets that sign: the one in force, the one it replaces",
    ),
    key("headers", Form::Map(&Form::Either(&[Form::Text, HEADER])), "headers of every request"),
    REQUIRES,
    ON_UNKNOWN,
    RECORDS,
    WHEN,
    SAMPLE,
    REMOVE,
    RENAME,
    WHEN_FULL,
    LIMITS,
];

const SASL: &[Key] = &[
    required(
        "mechanism",
        Form::Word(&["plain", "scram-sha-256", "scram-sha-512"]),
        "how the password is proved",
    ),
    required("username", Form::Text, "who logs in"),
    required("password", Form::Text, "the name of the secret that holds the password"),
];

const TO_KAFKA: &[Key] = &[
    required("type", Form::Word(&["kafka"]), "records are written to a topic"),
    PURPOSES,
    required("brokers", Form::Items(&Form::Text), "where to ask for the cluster: `broker.example:9092`"),
    required("topic", Form::Text, "the topic"),
    key("tls", Form::Flag, "the connection is encrypted; true where it is left out"),
    key("sasl", Form::Object(SASL), "how to log in"),
    key("compression", Form::Word(&["none", "gzip"]), "how batches are compressed"),
    REQUIRES,
    ON_UNKNOWN,
    RECORDS,
    WHEN,
    SAMPLE,
    REMOVE,
    RENAME,
    WHEN_FULL,
    LIMITS,
];

const TO_QUEUE: &[Key] = &[
    required("type", Form::Word(&["queue"]), "records are put into a queue of the platform"),
    PURPOSES,
    required("queue", Form::Text, "the name of its binding"),
    required("dead_letter", Form::Text, "the binding of the queue for what its consumer could not take"),
    REQUIRES,
    ON_UNKNOWN,
    RECORDS,
    WHEN,
    SAMPLE,
    REMOVE,
    RENAME,
    WHEN_FULL,
    LIMITS,
];

const DESTINATION: Form = Form::Either(&[
    Form::Object(TO_HTTP),
    Form::Object(TO_KAFKA),
    Form::Object(TO_QUEUE),
    Form::Object(TO_LOG),
]);

const PLACE: Form = Form::Either(&[Form::Flag, Form::Word(&["page"])]);

const CAPTURE: &[Key] = &[
    key("routes", PLACE, "page views of routes that change without a load; on unless it says `false`"),
    key("hash", PLACE, "page views of routes that stand behind a `#/` or `#!`"),
    key("loss", PLACE, "how many events the page's queue lost; on unless it says `false`"),
    key("clicks", PLACE, "clicks on links within the site, and on buttons"),
    key("outbound", PLACE, "clicks on links to other hosts"),
    key("downloads", PLACE, "clicks on links to files"),
    key("contents", PLACE, "clicks on what a rule shows, and that it was put away"),
    key("forms", PLACE, "forms that were begun, sent, or left"),
    key("search", Form::Either(&[Form::List(&Form::Text), PLACE]), "URL parameters of the site's search"),
    key("scroll", PLACE, "how far a page was scrolled"),
    key("time", PLACE, "how long a page was seen and used"),
    key("exit", PLACE, "the pointer leaves the page at its top"),
    key("media", PLACE, "videos and sounds that were played"),
    key("vitals", PLACE, "Core Web Vitals: how fast a page was"),
    key("errors", PLACE, "errors of the page's scripts"),
    key("rage", PLACE, "clicks in quick succession on one place"),
    key("dead", PLACE, "clicks that changed nothing"),
    key("visibility", PLACE, "elements with `data-selvedge-visible` that were seen"),
    key("ecommerce", PLACE, "the events of `selvedge.ecommerce` and of data layers"),
    key(
        "datalayer",
        Form::Either(&[Form::Map(&Form::Text), PLACE]),
        "entries of `dataLayer`, and their events",
    ),
];

const IDENTITY: &[Key] = &[
    key(
        "cookie",
        Form::Either(&[Form::Flag, Form::Text]),
        "the edge sets the visitor's id as a first-party cookie: `true`, or the domain of page and edge",
    ),
    key("links", Form::List(&Form::Text), "domains of the site that links hand the visitor's id to"),
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
    key("rates", Form::Text, "the lookup that says what one of each other currency is worth"),
    key("timezone", Form::Text, "the IANA name of the time zone of days, hours and schedules"),
    key("language", Form::Text, "the language of contents that name none: BCP 47"),
    key("late_events", DURATION, "how late an event may come and still count"),
    required("sources", Form::Map(&Form::Object(SOURCE)), "where events enter"),
    key("origins", Form::List(&Form::Text), "pages elsewhere that may send to a browser source"),
    key("consent", Form::Object(CONSENT), "the consent policy"),
    key("capture", Form::Object(CAPTURE), "what pages capture by themselves: `true`, `false`, or `page`"),
    key("identity", Form::Object(IDENTITY), "where a visitor's id stands besides the page's own storage"),
    key("slots", Form::Map(&Form::Object(SLOT)), "the named places of the pages"),
    key("log", Form::Object(KEEP), "how long rows stay that every destination holds: `{keep: 7d}`"),
    key("quarantine", Form::Object(KEEP), "how long refused events stay: `{keep: 30d}`"),
    key("destinations", Form::Map(&DESTINATION), "where records go, and who is told of what rules emit"),
    key("goals", Form::Map(&Form::Object(GOAL)), "what counts as success"),
    key("lookups", Form::Map(&Form::Object(LOOKUP)), "tables: `catalog[page.sku].stock`"),
    key(
        "lists",
        Form::Map(&Form::Either(&[Form::List(&Form::Text), Form::Object(LIST_FILE)])),
        "lists of texts that conditions look things up in",
    ),
]);
