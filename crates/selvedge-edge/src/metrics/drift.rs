//! Drift: events and properties that are sent and not planned, as they stand in the quarantine. Their names come from
//! outside: they are bounded in number and length, and escaped.

use super::{SiteMetrics, family, sample};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Names that are told of one site.
pub const DRIFT_MAX: usize = 20;
/// Letters of a name that are told.
const NAME_LETTERS_MAX: usize = 64;

/// Events of one name, refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `unknown_event` or `additional_property`.
    pub code: String,
    /// The event's name.
    pub event: String,
    /// How many stand in the quarantine.
    pub count: u64,
}

impl SiteMetrics {
    /// Adds what a shard holds.
    pub fn add_drift(&mut self, shard: Vec<Drift>) {
        for drift in shard {
            let is_same = |known: &&mut Drift| known.code == drift.code && known.event == drift.event;
            match self.drift.iter_mut().find(is_same) {
                Some(known) => known.count = known.count.saturating_add(drift.count),
                None => self.drift.push(drift),
            }
        }
        self.drift.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.event.cmp(&b.event)));
        self.drift.truncate(DRIFT_MAX);
    }
}

pub(super) fn all(out: &mut String, sites: &[SiteMetrics]) {
    let name = "selvedge_drift_events";
    family(out, name, "gauge", "Quarantined events that the plan does not know, or not all of.");
    for site in sites {
        for drift in &site.drift {
            let labels = format!(",code=\"{}\",event=\"{}\"", drift.code, escaped(&drift.event));
            sample(out, name, &site.site, &labels, drift.count);
        }
    }
}

fn escaped(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars().take(NAME_LETTERS_MAX) {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(event: &str, count: u64) -> Drift {
        Drift { code: "unknown_event".into(), event: event.into(), count }
    }

    #[test]
    fn names_from_outside_are_bounded_and_cannot_add_lines() {
        let mut site = SiteMetrics { site: "shop".into(), ..SiteMetrics::default() };
        site.add_drift((0..50).map(|at| drift(&format!("e{at}"), at)).collect());
        site.add_drift(Vec::from([drift("e49", 1), drift("a\"b\\c\nd", 99)]));
        assert_eq!((site.drift.len(), site.drift[1].count), (DRIFT_MAX, 50));
        let mut page = String::new();
        all(&mut page, &[site]);
        let line = page.lines().nth(2).unwrap();
        assert_eq!(line, r#"selvedge_drift_events{site="shop",code="unknown_event",event="a\"b\\c d"} 99"#);
    }
}
