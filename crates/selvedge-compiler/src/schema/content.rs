//! content.yaml.

use super::{Form, Key, key, required};

const FIELDS: &[Key] = &[
    required("type", Form::Word(&["text", "url", "image", "attributes"]), "what it is"),
    key("text", Form::Text, "of `text` and `url`: what is read"),
    key("href", Form::Text, "of `url` and `image`: where it leads"),
    key("src", Form::Text, "of `image`: its address"),
    key("alt", Form::Text, "of `image`: its words"),
    key("attributes", Form::Map(&Form::Text), "of `attributes`: names and values"),
];

/// content.yaml.
pub const CONTENT: Form = Form::Map(&Form::Object(FIELDS));
