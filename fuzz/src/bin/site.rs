//! Any text as the rules of a small site, or, behind a line that names it, as another of its files: nothing panics, what is
//! refused is told, and what compiles loads and runs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_fuzz::rules::{site_holds, site_with};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let named = text.strip_prefix("# ").and_then(|rest| rest.split_once('\n'));
    let (name, text) = match named {
        Some((name @ ("site.yaml" | "tracking-plan.yaml" | "content.yaml"), rest)) => (name, rest),
        _ => ("rules.yaml", text),
    };
    site_holds(&site_with(name, text));
});
