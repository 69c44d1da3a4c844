//! What came of recorded visitors, for people and for programs.

use super::tally::{Count, Tally};
use crate::recorded::History;
use crate::rehearsal::Stage;
use crate::rehearsal::walk::{Manner, PageViews};
use selvedge_core::limits::BUCKETS;
use selvedge_core::wire::answer::Reason;
use selvedge_edge::sample_ratio::Sample;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What came of recorded visitors.
pub struct Report<'a> {
    /// Under which program.
    pub stage: &'a Stage,
    /// Of which events.
    pub history: &'a History,
    /// In which manner.
    pub manner: &'a Manner,
    /// What was counted.
    pub tally: Tally,
    /// How long it took.
    pub elapsed: Duration,
}

/// So many reasons for refusing events are told one by one.
const REFUSED_MAX: usize = 8;

/// Reasons that are no outcome of the rule's own condition: these are worth a column.
const STOPS: [Reason; 3] = [Reason::False, Reason::Unknown, Reason::LowerPriority];

impl Report<'_> {
    /// The report as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = self.head();
        self.slots(&mut out);
        self.rules(&mut out);
        self.variants(&mut out);
        self.samples(&mut out);
        self.stops(&mut out);
        self.conflicts(&mut out);
        out
    }

    fn head(&self) -> String {
        let Tally { visitors, accepted, late, refused, .. } = &self.tally;
        let refused_total: u64 = refused.values().sum();
        let mut out = format!(
            "{} events of {} visitors in {:.2} s: {} accepted, {refused_total} refused, {late} late, {} unreadable\n",
            grouped(self.history.events() as u64),
            grouped(*visitors),
            self.elapsed.as_secs_f64(),
            grouped(*accepted),
            self.history.unreadable_count,
        );
        let mut most: Vec<_> = refused.iter().collect();
        most.sort_by_key(|(_, count)| Reverse(**count));
        for (refused, count) in most.iter().take(REFUSED_MAX) {
            let _ = writeln!(out, "  refused {count}: {refused}");
        }
        if let Some(more) = most.get(REFUSED_MAX..).filter(|more| !more.is_empty()) {
            let count: u64 = more.iter().map(|(_, count)| **count).sum();
            let _ = writeln!(out, "  refused {count}: {} other reasons", more.len());
        }
        for line in &self.history.unreadable {
            let _ = writeln!(out, "  {line}");
        }
        if self.manner.pages == PageViews::Each {
            out.push_str(
                "No page views were recorded: each event counts as one; --pages names those that are.\n",
            );
        }
        if !self.manner.is_seen {
            out.push_str("Only recorded exposures count as seen.\n");
        }
        out
    }

    fn slots(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n{:<12} {:<32} {:>9} {:>7} {:>9}",
            "slot", "shows", "moments", "share", "visitors"
        );
        for ((slot, rule), count) in &self.tally.shown {
            let total: u64 = self.moments(*slot);
            let rule = rule.map_or("(no rule)", |rule| self.stage.rule_id(rule));
            let share = share(count.times, total);
            let Count { times, visitors } = count;
            let slot = self.stage.slot_name(*slot);
            let _ = writeln!(out, "{slot:<12} {rule:<32} {times:>9} {share:>7} {visitors:>9}");
        }
    }

    fn moments(&self, slot: u16) -> u64 {
        self.tally.shown.iter().filter(|((of, _), _)| *of == slot).map(|(_, count)| count.times).sum()
    }

    fn rules(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n{:<32} {:>9} {:>7} {:>10} {:>9}",
            "rule", "visitors", "reach", "decisions", "seen"
        );
        for (at, rule) in (0u16..).zip(&self.stage.parts.rules) {
            let won = self.tally.won.get(&at).copied().unwrap_or_default();
            let seen = self.tally.seen.get(&at).copied().unwrap_or_default();
            let reach = share(won.visitors, self.tally.visitors);
            let Count { times, visitors } = won;
            let _ = writeln!(out, "{:<32} {visitors:>9} {reach:>7} {times:>10} {:>9}", rule.id, seen.times);
        }
    }

    fn variants(&self, out: &mut String) {
        if self.tally.variants.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{:<40} {:>9} {:>10}", "variant", "visitors", "decisions");
        for (variant, Count { times, visitors }) in &self.tally.variants {
            let name = self.stage.site.program.variant_name(*variant);
            let _ = writeln!(out, "{name:<40} {visitors:>9} {times:>10}");
        }
    }

    /// Whether visitors fell into variants as the shares say.
    fn samples(&self, out: &mut String) {
        for sample in
            self.sample_ratios().filter(|sample| sample.variants.iter().any(|(.., units)| *units > 0))
        {
            let units: u64 = sample.variants.iter().map(|(.., units)| units).sum();
            let of_variant = |(name, share, found): &(String, u64, u64)| {
                let share = *share as f64 / f64::from(BUCKETS);
                format!("{name} {found} of {:.1}", share * units as f64)
            };
            let variants: Vec<String> = sample.variants.iter().map(of_variant).collect();
            let verdict = match (sample.chi_square_milli, sample.is_suspect) {
                (None, _) => "too few to say".to_owned(),
                (Some(milli), false) => {
                    format!("as the shares say (chi-square {:.3})", milli as f64 / 1_000.0)
                }
                (Some(milli), true) => {
                    format!(
                        "NOT as the shares say: below 1 in 1,000 (chi-square {:.3})",
                        milli as f64 / 1_000.0
                    )
                }
            };
            let _ =
                writeln!(out, "\n{} shown to {units}: {}; {verdict}", sample.experiment, variants.join(", "));
        }
    }

    fn sample_ratios(&self) -> impl Iterator<Item = Sample> {
        let experiments = &self.stage.parts.deciding.experiments;
        let count = |name: &str| self.tally.units.get(name).copied().unwrap_or(0);
        experiments.iter().map(move |experiment| Sample::of(experiment, &count))
    }

    /// What kept rules from acting whose conditions were true.
    fn stops(&self, out: &mut String) {
        let is_stop = |reason: Reason| {
            !STOPS.contains(&reason) && !matches!(reason, Reason::Won | Reason::Held | Reason::Fallback)
        };
        let stops: Vec<_> = self.tally.reasons.iter().filter(|((_, reason), _)| is_stop(*reason)).collect();
        if stops.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{:<32} {:<20} {:>9} {:>9}", "stopped", "by", "times", "visitors");
        for ((rule, reason), Count { times, visitors }) in stops {
            let rule = self.stage.rule_id(*rule);
            let _ = writeln!(out, "{rule:<32} {:<20} {times:>9} {visitors:>9}", reason.as_str());
        }
    }

    fn conflicts(&self, out: &mut String) {
        if self.tally.conflicts.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{:<32} {:<32} {:>9} {:>9}", "true, but lost", "to", "times", "visitors");
        for ((loser, winner), Count { times, visitors }) in &self.tally.conflicts {
            let (loser, winner) = (self.stage.rule_id(*loser), self.stage.rule_id(*winner));
            let _ = writeln!(out, "{loser:<32} {winner:<32} {times:>9} {visitors:>9}");
        }
    }

    /// The report as programs read it.
    #[must_use]
    pub fn json(&self) -> Value {
        let Tally { visitors, accepted, late, refused, .. } = &self.tally;
        let mut of_codes = BTreeMap::new();
        for (refused, count) in refused {
            *of_codes.entry(refused.code.as_str()).or_insert(0u64) += count;
        }
        json!({
            "program": self.stage.site.hash.to_string(),
            "events": self.history.events(),
            "visitors": visitors,
            "seconds": self.elapsed.as_secs_f64(),
            "accepted": accepted,
            "refused": of_codes,
            "late": late,
            "unreadable": self.history.unreadable_count,
            "each_event_is_a_page_view": self.manner.pages == PageViews::Each,
            "shown_counts_as_seen": self.manner.is_seen,
            "slots": self.slots_json(),
            "rules": self.rules_json(),
            "variants": self.variants_json(),
            "sample_ratios": self.samples_json(),
            "conflicts": self.conflicts_json(),
        })
    }

    fn slots_json(&self) -> Vec<Value> {
        let of_slot = |((slot, rule), count): (&(u16, Option<u16>), &Count)| {
            json!({
                "slot": self.stage.slot_name(*slot),
                "rule": rule.map(|rule| self.stage.rule_id(rule)),
                "moments": count.times,
                "share": ratio(count.times, self.moments(*slot)),
                "visitors": count.visitors,
            })
        };
        self.tally.shown.iter().map(of_slot).collect()
    }

    fn rules_json(&self) -> Vec<Value> {
        let of_rule = |(at, rule): (u16, &selvedge_core::wire::program::Rule)| {
            let won = self.tally.won.get(&at).copied().unwrap_or_default();
            let reasons = self.tally.reasons.iter().filter(|((of, _), _)| *of == at);
            let reasons: serde_json::Map<_, _> =
                reasons.map(|((_, reason), count)| (reason.as_str().to_owned(), json!(count))).collect();
            json!({
                "rule": rule.id,
                "slot": self.stage.slot_name(rule.slot),
                "visitors": won.visitors,
                "reach": ratio(won.visitors, self.tally.visitors),
                "decisions": won.times,
                "seen": self.tally.seen.get(&at).copied().unwrap_or_default(),
                "reasons": reasons,
            })
        };
        (0u16..).zip(&self.stage.parts.rules).map(of_rule).collect()
    }

    fn variants_json(&self) -> serde_json::Map<String, Value> {
        let of_variant =
            |(variant, count): (&u16, &Count)| (self.stage.site.program.variant_name(*variant), json!(count));
        self.tally.variants.iter().map(of_variant).collect()
    }

    fn samples_json(&self) -> Vec<Value> {
        let of_variant = |(name, share, units): &(String, u64, u64)| json!({ "variant": name, "share": ratio(*share, BUCKETS.into()), "units": units });
        let of_sample = |sample: Sample| {
            json!({
                "experiment": sample.experiment,
                "variants": sample.variants.iter().map(of_variant).collect::<Vec<_>>(),
                "chi_square": sample.chi_square_milli.map(|milli| milli as f64 / 1_000.0),
                "suspect": sample.is_suspect,
            })
        };
        self.sample_ratios().map(of_sample).collect()
    }

    fn conflicts_json(&self) -> Vec<Value> {
        let of_pair = |((loser, winner), count): (&(u16, u16), &Count)| {
            json!({
                "rule": self.stage.rule_id(*loser),
                "lost_to": self.stage.rule_id(*winner),
                "times": count.times,
                "visitors": count.visitors,
            })
        };
        self.tally.conflicts.iter().map(of_pair).collect()
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `12.3%`.
fn share(part: u64, whole: u64) -> String {
    format!("{:.1}%", ratio(part, whole) * 100.0)
}

/// `31,106`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::walk::Manner;
    use crate::simulation::tally;
    use crate::testing::{new_site, recorded};
    use selvedge_compiler::compile;

    fn reported<T>(site: &str, log: &str, read: impl Fn(&Report<'_>) -> T) -> T {
        let mut files = new_site();
        files.insert("rules.yaml".to_owned(), site.to_owned());
        files.remove("tests/hero.yaml");
        let compiled = compile(&files).program.expect("the site compiles");
        let stage = Stage::of(&compiled).unwrap();
        let history = recorded(log);
        let manner = Manner::of(&history, &[]);
        let tally = tally(&stage, &history, &manner).unwrap();
        let elapsed = Duration::from_millis(20);
        read(&Report { stage: &stage, history: &history, manner: &manner, tally, elapsed })
    }

    const RULES: &str = "\
rules:
  - id: first
    when: (count product_view in session) >= 2
    show:
      slot: hero
      content: welcome
    priority: 10
    cap: 1 per session
  - id: second
    when: (count product_view in session) >= 1
    show:
      slot: hero
      content: free-shipping
    priority: 5
";

    const LOG: &str = "\
user,at,event
a,1710325000,product_view
a,1710325010,product_view
a,1710325020,product_view
b,1710325000,product_view
b,1710329000,product_view
c,,product_view
d,1710325000,unheard_of
";

    #[test]
    fn who_is_reached_what_is_capped_and_who_loses_is_counted() {
        insta::assert_snapshot!(reported(RULES, LOG, |report| report.text()));
    }

    #[test]
    fn visitors_fall_into_variants_as_the_shares_say_or_it_is_told() {
        const TRIED: &str = "\
experiments:
  offer:
    variants:
      control:
        share: 50
      shown:
        share: 50
        content: welcome
rules:
  - id: tried
    when: (count product_view in session) >= 1
    show:
      slot: hero
      content: welcome
    experiment: offer
";
        let log: String = (0..200).map(|at| format!("u{at},1710325000,product_view\n")).collect();
        let log = format!("user,at,event\n{log}");
        let json = reported(TRIED, &log, |report| report.json());
        let sample = &json["sample_ratios"][0];
        let units = |at: usize| sample["variants"][at]["units"].as_u64().unwrap_or(0);
        assert_eq!(units(0) + units(1), 200, "{sample}");
        assert_eq!(sample["suspect"], false, "{sample}");
        let told = reported(TRIED, &log, |report| report.text());
        assert!(told.contains("offer shown to 200: control "), "{told}");
        assert!(told.contains("; as the shares say (chi-square "), "{told}");
        let skewed = reported(TRIED, &log, |report| {
            let mut units = report.tally.units.clone();
            units.values_mut().take(1).for_each(|count| *count *= 3);
            let Report { stage, history, manner, elapsed, .. } = *report;
            Report { tally: Tally { units, ..Tally::default() }, stage, history, manner, elapsed }.text()
        });
        assert!(skewed.contains("NOT as the shares say"), "{skewed}");
    }

    #[test]
    fn programs_read_the_same() {
        let json = reported(RULES, LOG, |report| report.json());
        let first = &json["rules"][0];
        assert_eq!((first["visitors"].as_u64(), first["decisions"].as_u64()), (Some(1), Some(1)));
        assert_eq!(first["reasons"]["capped"]["times"].as_u64(), Some(1));
        assert_eq!(json["conflicts"][0]["lost_to"], "first");
        assert_eq!(json["refused"]["unknown_event"].as_u64(), Some(1));
        assert_eq!(json["unreadable"].as_u64(), Some(1));
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(grouped(31_106), "31,106");
        assert_eq!(grouped(600), "600");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
