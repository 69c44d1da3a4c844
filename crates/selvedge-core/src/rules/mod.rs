//! The rules: how one event steps a visitor's state, and what is decided from it.
