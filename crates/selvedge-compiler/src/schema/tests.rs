//! tests/*.yaml.

use super::{Form, Key, PURPOSE, key, required};

const OFFSET: Form = Form::Pattern("^([0-9]+[smhd])+$");

const EVENT: &[Key] = &[
    required("at", OFFSET, "the time since the beginning"),
    required("event", Form::Text, "the event's name"),
    key("properties", Form::Map(&Form::Any), "what is known of it"),
    key("context", Form::Map(&Form::Any), "facts of the moment"),
    key("member", Form::Whole(0, 100), "which other member of the visitor's account it comes from"),
    key("tab", Form::Whole(0, 8), "which of the visitor's tabs it comes from"),
];

const EMIT: Form = Form::Either(&[
    Form::Text,
    Form::Object(&[
        required("rule", Form::Text, "the rule's id"),
        key("message", Form::Word(&["enter", "exit"]), "`enter` where it is left out"),
        key("fields", Form::Map(&Form::Any), "facts that go with it; others may go too"),
    ]),
]);

const EXPECT: Form = Form::Open(
    &[
        key("at", OFFSET, "when; right behind the last event where it is left out"),
        key("why", Form::Items(&Form::Text), "what the rule in the slot was told: `shoe_views = 2`"),
        key("reasons", Form::Map(&Form::Text), "what became of rules, by id"),
        key(
            "emit",
            Form::Items(&EMIT),
            "what destinations were told since the expectation before; `none`: nothing",
        ),
    ],
    &Form::Text,
);

const CASE: &[Key] = &[
    required("name", Form::Text, "what it is about, in words"),
    key("now", Form::Text, "when it begins, on the site's clocks: `2026-03-29T01:30`"),
    key("consent", Form::Either(&[Form::Word(&["none"]), Form::Items(&PURPOSE)]), "what the visitor granted"),
    key(
        "given",
        Form::Map(&Form::Any),
        "facts that hold from the beginning; under `lookups` the rows of tables",
    ),
    key(
        "events",
        Form::List(&Form::Either(&[Form::Pattern("^([0-9]+[smhd])+\\s+\\S.*$"), Form::Object(EVENT)])),
        "what happens: `10s product_view {category: shoes}`",
    ),
    required("expect", Form::Items(&EXPECT), "slots and their contents (`none`: no rule has the slot)"),
];

/// tests/*.yaml.
pub const TESTS: Form = Form::List(&Form::Object(CASE));
