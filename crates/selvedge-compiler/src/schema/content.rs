//! content.yaml.

use super::{Form, Key, key, required};

const TEXT: &str = "of `text` and `link`: what is read";
const HTML: &str = "of `html`: the markup";
const HREF: &str = "of `link` and `image`: where it leads";
const SRC: &str = "of `image`: its address";
const ALT: &str = "of `image`: its words";
const JSON: &str = "of `json`: what the page's own code is given";
const ATTRIBUTES: &str = "of `attributes`: names and values";

const WORDING: &[Key] = &[
    key("text", Form::Text, TEXT),
    key("html", Form::Text, HTML),
    key("href", Form::Text, HREF),
    key("src", Form::Text, SRC),
    key("alt", Form::Text, ALT),
    key("json", Form::Any, JSON),
    key("attributes", Form::Map(&Form::Text), ATTRIBUTES),
];

const FIELDS: &[Key] = &[
    required("type", Form::Word(&["text", "html", "image", "link", "attributes", "json"]), "what it is"),
    key("text", Form::Text, TEXT),
    key("html", Form::Text, HTML),
    key("href", Form::Text, HREF),
    key("src", Form::Text, SRC),
    key("alt", Form::Text, ALT),
    key("json", Form::Any, JSON),
    key("attributes", Form::Map(&Form::Text), ATTRIBUTES),
    key("locales", Form::Map(&Form::Object(WORDING)), "what is different in other languages"),
];

/// content.yaml.
pub const CONTENT: Form = Form::Map(&Form::Object(FIELDS));
