//! Strings of the IAB Global Privacy Platform 1.1: a header that names sections, and the sections.
//! Source: "Global Privacy Platform", "Section encoding" and "Header".

use super::bits::{Bits, Reader, parts};
use super::tcf::Asked;
use super::{Statement, tcf, us};

const HEADER_TYPE: u32 = 3;
const HEADER_VERSION: u32 = 1;
/// Sections of one string: more than there are.
const SECTIONS_MAX: u32 = 64;

const TCF_EUROPE: u8 = 2;
const TCF_CANADA: u8 = 5;
const US_PRIVACY: u8 = 6;

/// Bits of the core segment of Canada's section.
mod canada {
    pub const EXPRESS: usize = 151;
    pub const IMPLIED: usize = 175;
    /// Behind the purposes.
    pub const END: usize = 199;
}

/// A GPP string whose header was read and found to fit its sections.
#[derive(Debug, Clone, Copy)]
pub struct GppString<'a> {
    header: Bits<'a>,
    sections: &'a [u8],
}

impl<'a> GppString<'a> {
    /// The string; `None` where its header is malformed, of another version, or names more or fewer sections than there are.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let front = parts(text, b'~').next()?;
        let header = Bits::of(front)?;
        let is_known = header.number(0, 6)? == HEADER_TYPE && header.number(6, 6)? == HEADER_VERSION;
        let read = Self { header, sections: text.get(front.len().saturating_add(1)..).unwrap_or_default() };
        let mut named = 0usize;
        read.ids(&mut |_| named = named.saturating_add(1))?;
        let there = if read.sections.is_empty() { 0 } else { parts(read.sections, b'~').count() };
        (is_known && named == there).then_some(read)
    }

    /// The text of a section.
    #[must_use]
    pub fn section(&self, id: u8) -> Option<&'a [u8]> {
        let (mut at, mut found) = (0usize, None);
        self.ids(&mut |named| {
            if named == id {
                found = Some(at);
            }
            at = at.saturating_add(1);
        })?;
        parts(self.sections, b'~').nth(found?)
    }

    /// Hands out the sections' ids in their order. `None` where the header is cut off.
    pub fn ids(&self, each: &mut dyn FnMut(u8)) -> Option<()> {
        let mut reader = Reader::new(self.header, 12);
        let (mut last, mut count) = (0u32, 0u32);
        for _ in 0..reader.number(12)? {
            let is_range = reader.bit()?;
            let first = last.checked_add(reader.fibonacci()?)?;
            last = if is_range { first.checked_add(reader.fibonacci()?)? } else { first };
            for id in first..=last {
                count = count.checked_add(1).filter(|count| *count <= SECTIONS_MAX)?;
                each(u8::try_from(id).ok()?);
            }
        }
        Some(())
    }
}

/// What a GPP string says of our purposes, by the sections that apply to the visitor (as the platform's ping lists them).
/// A string that cannot be read denies; a section that applies and is not there, or is not known here, says nothing.
#[must_use]
pub fn statement(text: &[u8], applicable: &[u8], vendor: Option<u16>, asked: &Asked) -> Statement {
    let Some(read) = GppString::parse(text) else { return Statement::DENIED };
    let said = applicable.iter().filter_map(|id| Some((*id, read.section(*id)?)));
    said.fold(Statement::default(), |sum, (id, section)| sum.and(statement_of(id, section, vendor, asked)))
}

fn statement_of(id: u8, section: &[u8], vendor: Option<u16>, asked: &Asked) -> Statement {
    match id {
        TCF_EUROPE => tcf::statement(section, vendor, asked),
        TCF_CANADA => statement_of_canada(section, asked),
        US_PRIVACY => us::statement_of_privacy_string(section),
        _ => us::statement(id, section),
    }
}

/// Canada's section. A text that cannot be read denies.
fn statement_of_canada(section: &[u8], asked: &Asked) -> Statement {
    match core_of_canada(section) {
        Some(core) => tcf::stated(asked, &|purpose| is_implied_or_express(core, purpose)),
        None => Statement::DENIED,
    }
}

/// Whether Canada's section consents to a purpose (1 to 24), expressly or by implication.
#[must_use]
pub fn canada_consents(section: &[u8], purpose: u8) -> bool {
    core_of_canada(section).is_some_and(|core| is_implied_or_express(core, purpose))
}

fn core_of_canada(section: &[u8]) -> Option<Bits<'_>> {
    let core = Bits::of(parts(section, b'.').next()?)?;
    Reader::new(core, 0).skip(canada::END)?;
    Some(core)
}

fn is_implied_or_express(core: Bits<'_>, purpose: u8) -> bool {
    let is_set = |at: usize| tcf::flag(core, at, purpose, tcf::PURPOSES);
    is_set(canada::EXPRESS) || is_set(canada::IMPLIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::Purposes;

    #[test]
    fn one_header_has_several_spellings() {
        for header in ["DBABM", "DBABMA", "DBABMAAA"] {
            let text = alloc::format!("{header}~section");
            assert_eq!(
                GppString::parse(text.as_bytes()).and_then(|read| read.section(2)),
                Some(&b"section"[..]),
                "{header}"
            );
        }
    }

    #[test]
    fn a_header_that_names_other_sections_than_there_are_denies() {
        for text in ["DBABM", "DBABM~one~two", "", "~", "CBABM~one", "DBAB*~one"] {
            assert_eq!(
                statement(text.as_bytes(), &[2], None, &Asked::default()),
                Statement::DENIED,
                "{text}"
            );
        }
    }

    #[test]
    fn only_sections_that_apply_speak() {
        let text = "DBABTA~1YYN";
        assert_eq!(statement(text.as_bytes(), &[6], None, &Asked::default()).denied, Purposes::ADVERTISING);
        assert_eq!(statement(text.as_bytes(), &[7], None, &Asked::default()), Statement::default());
    }
}
