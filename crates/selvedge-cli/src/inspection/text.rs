//! A program taken apart, as people read it.

use super::Inspection;
use selvedge_core::limits::{CAP_BYTES_MAX, STATE_BYTES_MAX};
use std::fmt;

impl fmt::Display for Inspection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, form, hash, bytes, .. } = self;
        writeln!(out, "{site}: {form} program {hash}, {bytes} bytes")?;
        if let Some(public) = self.public_bytes {
            writeln!(out, "pages load {public} bytes")?;
        }
        let Self { state_bytes_max, cap_bytes_max, .. } = self;
        writeln!(out, "a visitor's state: at most {state_bytes_max} of {STATE_BYTES_MAX} bytes")?;
        for (what, bytes) in &self.state_bound {
            writeln!(out, "  {what:<12} {bytes:>5}")?;
        }
        writeln!(out, "a visitor's caps:  at most {cap_bytes_max} of {CAP_BYTES_MAX} bytes")?;
        let parts: Vec<String> = self.parts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        writeln!(out, "inside: {}", parts.join(", "))?;
        self.rules(out)?;
        self.metrics(out)?;
        self.destinations(out)?;
        self.hidden(out)
    }
}

impl Inspection {
    fn rules(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\n{:<32} {:>8} {:<7} {:>5} {:>7}  {:<12} runs",
            "rule", "priority", "status", "tests", "longest", "slot"
        )?;
        for rule in &self.rules {
            let place = match (rule.in_page, rule.why.as_slice()) {
                (true, _) => "page and edge".to_owned(),
                (false, []) => "edge".to_owned(),
                (false, why) => format!("edge: {}", why.join(", ")),
            };
            writeln!(
                out,
                "{:<32} {:>8} {:<7} {:>5} {:>7}  {:<12} {place}",
                rule.id, rule.priority, rule.status, rule.tests, rule.tests_max, rule.slot
            )?;
        }
        Ok(())
    }

    fn metrics(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.metrics.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{:<48} {:<24} known", "metric", "event")?;
        for metric in &self.metrics {
            let place = if metric.in_page { "page and edge" } else { "edge" };
            writeln!(out, "{:<48} {:<24} {place}", metric.name, metric.event)?;
        }
        Ok(())
    }

    fn destinations(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.destinations.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{:<20} {:<6} {:<40} {:>6} {:>5}  purposes",
            "destination", "way", "records", "sample", "tests"
        )?;
        for found in &self.destinations {
            let sample = f64::from(found.sample) / 100.0;
            let (records, purposes) = (found.records.join(", "), found.purposes.join(", "));
            let (name, way, tests) = (&found.name, found.way, found.tests);
            writeln!(out, "{name:<20} {way:<6} {records:<40} {sample:>5}% {tests:>5}  {purposes}")?;
            if !found.to.is_empty() {
                writeln!(out, "{:<20} to {}", "", found.to)?;
            }
            if !found.secrets.is_empty() {
                writeln!(out, "{:<20} needs {}", "", found.secrets.join(", "))?;
            }
        }
        Ok(())
    }

    fn hidden(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hidden.is_empty() {
            return writeln!(out, "\neverything reaches the page");
        }
        writeln!(out, "\nnever reaches a page:")?;
        self.hidden.iter().try_for_each(|name| writeln!(out, "  {name}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::inspection::{inspection_of_bytes, inspection_of_site};
    use crate::testing::new_site;
    use selvedge_compiler::compile;

    /// The line with `#` for each number, wherever it begins.
    fn without_numbers(line: &str) -> String {
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let words = line.split_whitespace().map(|word| if is_number(word) { "#" } else { word });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_site_is_taken_apart_with_cost_bounds_and_what_stays_hidden() {
        let mut files = new_site();
        let more = "  - id: for-swiss
    when: geo.country = \"CH\"
    show:
      slot: hero
      content: welcome
    priority: 5
";
        files.get_mut("rules.yaml").unwrap().push_str(more);
        let mail = "destinations:
  mail:
    type: http
    purposes: [analytics]
    url: https://mail.example/in
    secrets: [MAIL_SECRET]
    when: name = \"page\"
    sample: 12.5%
";
        files.get_mut("site.yaml").unwrap().push_str(mail);
        let compiled = compile(&files).program.expect("the site compiles");
        let text = inspection_of_site(&compiled).unwrap().to_string();
        // How many bytes the first lines tell of changes with every change of the format.
        let text = text.replace(&compiled.hash.to_string(), "HASH");
        let lines = text.lines().enumerate();
        let lines = lines.map(|(at, line)| if at < 4 { without_numbers(line) } else { line.to_owned() });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
        let public = inspection_of_bytes(&compiled.public_bytes).unwrap();
        assert_eq!((public.form, public.rules.len()), ("public", 1));
        assert!(inspection_of_bytes(b"SVP").is_err());
    }
}
