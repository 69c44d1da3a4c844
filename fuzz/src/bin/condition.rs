//! Any text as a condition, in YAML that can only be read as that: nothing panics, what is refused is told, and what
//! compiles loads and runs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_fuzz::rules::{site_holds, site_with};

const HEAD: &str = "attributes:
  tier:
    type: text
    from: visitor
  margin:
    type: number
    from: visitor
    private: true
metrics:
  views: count product_view in 10m
rules:
  - id: rule
    show:
      slot: hero
      content: offer
    when: ";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let quoted = text.replace('\'', "''");
    site_holds(&site_with("rules.yaml", &format!("{HEAD}'{quoted}'\n")));
});
