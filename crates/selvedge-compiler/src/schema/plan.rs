//! tracking-plan.yaml.

use super::{Form, Key, PURPOSE, key, required};

const PROPERTY: &[Key] = &[
    required(
        "type",
        Form::Word(&["text", "number", "integer", "bool", "money", "time", "list", "object"]),
        "what the property may be",
    ),
    key("required", Form::Flag, "an event without it is refused"),
    key("pii", Form::Flag, "it identifies a person"),
    key(
        "masked",
        Form::Flag,
        "what looks like an e-mail address, a phone number or a card is replaced in it",
    ),
    key("enum", Form::List(&Form::Text), "the texts it may be"),
    key("description", Form::Text, "for people"),
];

const EVENT: &[Key] = &[
    key("version", Form::Whole(1, 65_535), "the version of the description"),
    key("owner", Form::Text, "who answers for it"),
    key("description", Form::Text, "for people"),
    key("nature", Form::Word(&["behavioural", "operational"]), "what a visitor did, or what the site did"),
    key("trust", Form::Word(&["client", "server"]), "who may send it"),
    required("purposes", Form::Items(&PURPOSE), "what it may be used for, as far as the visitor grants it"),
    key("additional_properties", Form::Flag, "properties that are not listed are let through"),
    key("properties", Form::Map(&Form::Object(PROPERTY)), "what is known of it"),
];

/// tracking-plan.yaml.
pub const TRACKING_PLAN: Form =
    Form::Object(&[required("events", Form::Map(&Form::Object(EVENT)), "the events of the site")]);
