//! The one function of the readers.

use selvedge_core::consent::tcf::Asked;
use selvedge_core::consent::{Signals, gpp, tcf};
use wasm_bindgen::prelude::wasm_bindgen;

/// What a text of TCF, or of GPP with the `sections` that apply, says of our purposes: those that it grants in the lower 16
/// bits, those that it denies in the upper. A text that cannot be read denies everything. `vendor`: the site's of the IAB's
/// list, of which the text must allow what is done; 0 where the purposes count. The last three are what analytics,
/// personalization and advertising ask of the framework's purposes ([`Asked`]).
#[wasm_bindgen]
pub fn read(
    source: u8,
    text: &[u8],
    sections: &[u8],
    vendor: u16,
    analytics: u32,
    personalization: u32,
    advertising: u32,
) -> u32 {
    let asked = Asked([analytics, personalization, advertising]);
    let vendor = Some(vendor).filter(|vendor| *vendor > 0);
    let said = match Signals(source) {
        Signals::GPP => gpp::statement(text, sections, vendor, &asked),
        _ => tcf::statement(text, vendor, &asked),
    };
    u32::from(said.granted.0) | u32::from(said.denied.0) << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_core::consent::{Purposes, Statement};

    /// Every purpose of vendor 755, made with the IAB's own library; the national section, opted out of sale.
    const ALL: &str = "CQtAQoAQtAQoAAfACAENBQFgAP_gAAAAAAYgF5wAQF5gAAAA.IF6QAYF5gXoA";
    const OUT: &str = "DBABLA~CAAaAAAAAABA.QA";
    const ASKED: [u32; 3] = Asked::USUAL.0;

    fn said(source: Signals, text: &str, sections: &[u8], vendor: u16) -> (Purposes, Purposes) {
        let [analytics, personalization, advertising] = ASKED;
        let bits = read(source.0, text.as_bytes(), sections, vendor, analytics, personalization, advertising);
        let half = |bits: u32| Purposes(u16::try_from(bits & 0xffff).unwrap());
        (half(bits), half(bits >> 16))
    }

    #[test]
    fn each_source_is_read_as_what_it_is() {
        assert_eq!(said(Signals::TCF, ALL, &[], 0), (Purposes(0b1110), Purposes::NONE));
        assert_eq!(said(Signals::GPP, OUT, &[7], 0), (Purposes::NONE, Purposes::ADVERTISING));
        assert_eq!(said(Signals::GPP, OUT, &[8], 0), (Purposes::NONE, Purposes::NONE));
        assert_eq!(said(Signals::TCF, OUT, &[7], 0), (Purposes::NONE, Statement::DENIED.denied));
    }

    #[test]
    fn a_vendor_that_the_text_does_not_allow_is_denied() {
        assert_eq!(said(Signals::TCF, ALL, &[], 755), (Purposes(0b1110), Purposes::NONE));
        assert_eq!(said(Signals::TCF, ALL, &[], 754), (Purposes::NONE, Purposes(0b1110)));
    }
}
