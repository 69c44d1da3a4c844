//! Any bytes as a TC string, a GPP string and each section of one: nothing panics, nothing is granted and denied at once,
//! and what does not parse grants nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_core::consent::tcf::{self, TcString};
use selvedge_core::consent::gpp::{self, GppString};
use selvedge_core::consent::{Purposes, Statement, us};

const VENDOR: u16 = 755;

fuzz_target!(|text: &[u8]| {
    for vendor in [None, Some(VENDOR)] {
        holds(tcf::statement(text, vendor, &tcf::Asked::default()), TcString::parse(text).is_some());
        let ids: Vec<u8> = (0..=us::LAST).collect();
        holds(gpp::statement(text, &ids, vendor, &tcf::Asked::default()), GppString::parse(text).is_some());
    }
    if let Some(read) = TcString::parse(text) {
        for purpose in 0..=u8::MAX {
            assert!(!read.allows_by_consent(purpose, VENDOR) || read.consents_to(purpose));
            assert!(!read.allows_by_interest(purpose, VENDOR) || read.tells_interest(purpose));
        }
    }
    for id in 0..=u8::MAX {
        assert_eq!(us::statement(id, text).granted, Purposes::NONE);
    }
    assert_eq!(us::statement_of_privacy_string(text).granted, Purposes::NONE);
});

fn holds(said: Statement, parses: bool) {
    assert!(said.granted.and(said.denied).is_empty());
    assert!(parses || said == Statement::DENIED);
}
