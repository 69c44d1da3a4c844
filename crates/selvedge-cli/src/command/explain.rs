//! `selvedge explain`: what a diagnostic's code means; or why a visitor is shown what at one moment.

use crate::arguments::ExplainArguments;
use crate::exit::{Ending, misused};
use crate::recorded::happened::Recorded;
use crate::recorded::log_line::visitor_id;
use crate::recorded::{History, source::RecordedArguments};
use crate::rehearsal::behind::Detail;
use crate::rehearsal::explanation::explanation;
use crate::rehearsal::given::Given;
use crate::rehearsal::walk::{Manner, Walker};
use crate::rehearsal::{Behind, Stage};
use crate::replay::value;
use anyhow::{Context, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use selvedge_compiler::cases::can_be_given;
use selvedge_compiler::{Code, did_you_mean, docs};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::value::Value;
use selvedge_core::wire::program::Builtin;
use selvedge_edge::foreign::visitor_of;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs the command.
///
/// # Errors
/// Where there is no such code, or the site, the events or the visitor cannot be read.
pub fn run(arguments: &ExplainArguments) -> Result<Ending> {
    if is_code(&arguments.what) {
        let code: Code = arguments.what.parse().map_err(|fault| misused(format!("{fault}")))?;
        print!("{}", docs::section(code));
        return Ok(Ending::Done);
    }
    let stage = Stage::open(Path::new(&arguments.what))?;
    let given = given(&stage, &arguments.given)?;
    let at_ms = arguments.at.as_deref().map(|at| time_ms(&stage, at)).transpose()?;
    let (behind, id, events) = if arguments.recorded.is_given() {
        recorded(&stage, given, at_ms, arguments)?
    } else {
        let id = VisitorId([0; 16]);
        let history = History::default();
        let manner = Manner::of(&history, &[]);
        let mut walker = Walker::new(&stage, id, &manner, given, Detail::Facts);
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let at_ms = at_ms.map_or_else(|| u64::try_from(now_ms), Ok)?;
        (walker.visitor().look(WriterId::mint(at_ms, 1), at_ms)?, id, 0)
    };
    let explained = explanation(&stage, &behind, id.to_string(), events);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&explained)?);
    } else {
        print!("{explained}");
    }
    Ok(Ending::Done)
}

/// `E0201`, `w0001`; not the name of a folder that is there.
fn is_code(what: &str) -> bool {
    let digits = what.strip_prefix(['E', 'W', 'e', 'w']).unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !Path::new(what).exists()
}

/// Takes the visitor through its recorded events, up to the time.
fn recorded(
    stage: &Stage,
    given: Given,
    at_ms: Option<u64>,
    arguments: &ExplainArguments,
) -> Result<(Behind, VisitorId, usize)> {
    let history = arguments.recorded.read()?;
    let id = find(&history, &arguments.recorded, arguments.visitor.as_deref())?;
    let manner = Manner::of(&history, &arguments.pages);
    let mut walker = Walker::new(stage, id, &manner, given, Detail::Facts);
    let events = history.visitors.get(&id).map(Vec::as_slice).unwrap_or_default();
    let until: Vec<&Recorded> = events
        .iter()
        .take_while(|recorded| at_ms.is_none_or(|at_ms| recorded.happened.time_ms <= at_ms))
        .collect();
    let mut last = None;
    for recorded in &until {
        last = Some((walker.step(recorded)?, recorded.happened.writer, recorded.happened.time_ms));
    }
    let behind = match (last, at_ms) {
        (Some((behind, _, time_ms)), at_ms) if at_ms.is_none_or(|at_ms| at_ms == time_ms) => behind,
        (Some((_, writer, _)), Some(at_ms)) => walker.visitor().look(writer, at_ms)?,
        (_, at_ms) => {
            let at_ms = at_ms.context("the visitor has no events")?;
            walker.visitor().look(WriterId::mint(at_ms, 1), at_ms)?
        }
    };
    Ok((behind, id, until.len()))
}

/// The visitor by its id, by the beginning of it, or by the id that the log has for it.
fn find(history: &History, recorded: &RecordedArguments, wanted: Option<&str>) -> Result<VisitorId> {
    let shown = |ids: &mut dyn Iterator<Item = &VisitorId>| {
        ids.take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let Some(wanted) = wanted else {
        let some = shown(&mut history.visitors.keys());
        return Err(misused(format!("name a visitor with --visitor: for example {some}")));
    };
    let of_log = recorded.map()?.map(|map| visitor_of(&map.site, wanted));
    let exact = visitor_id(wanted).or(of_log).filter(|id| history.visitors.contains_key(id));
    if let Some(id) = exact {
        return Ok(id);
    }
    let mut like = history.visitors.keys().filter(|id| id.to_string().starts_with(wanted));
    match (like.next(), like.next()) {
        (Some(id), None) => Ok(*id),
        (Some(_), Some(_)) => {
            let several = "is the beginning of several visitors' ids; write more of it";
            Err(misused(format!("{wanted} {several}")))
        }
        (None, _) => {
            let some = shown(&mut history.visitors.keys());
            Err(misused(format!("no visitor {wanted} was recorded; for example {some}")))
        }
    }
}

/// `fact=value`, each.
fn given(stage: &Stage, written: &[String]) -> Result<Given> {
    let mut facts = Vec::new();
    for fact in written {
        let (name, value) =
            fact.split_once('=').ok_or_else(|| misused(format!("`{fact}` is not `fact=value`")))?;
        let is_attribute = stage.parts.attributes.iter().any(|attribute| attribute.name == name);
        let mut builtins = Builtin::ALL.iter().filter(|builtin| can_be_given(**builtin));
        let is_builtin = builtins.any(|builtin| builtin.name() == name);
        if !is_attribute && !is_builtin {
            let attributes = stage.parts.attributes.iter().map(|attribute| attribute.name.as_str());
            let builtins = Builtin::ALL.iter().filter(|builtin| can_be_given(**builtin));
            let known = builtins.map(|builtin| builtin.name()).chain(attributes);
            let help = did_you_mean(name, known).unwrap_or_default();
            return Err(misused(format!("no fact `{name}` can be given; {help}")));
        }
        facts.push((name, of_text(value)));
    }
    Ok(Given::new(stage, facts.iter().map(|(name, value)| (*name, value))))
}

fn of_text(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => value::number(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number),
    }
}

/// A time as people write it: RFC 3339, a time on the site's clocks, or Unix milliseconds.
fn time_ms(stage: &Stage, text: &str) -> Result<u64> {
    if let Ok(time_ms) = text.parse() {
        return Ok(time_ms);
    }
    let stamp = match text.parse::<jiff::Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => {
            let help = "write for example 2026-03-29T01:30, 2026-03-29T01:30:00Z, or Unix milliseconds";
            let not_a_time = |_| misused(format!("`{text}` is not a time; {help}"));
            let civil: DateTime = text.parse().map_err(not_a_time)?;
            let zone = TimeZone::get(stage.timezone.as_deref().unwrap_or("UTC"))?;
            zone.to_zoned(civil)?.timestamp()
        }
    };
    Ok(u64::try_from(stamp.as_millisecond())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::of_failure;
    use crate::testing::{new_site, recorded as history};
    use selvedge_compiler::compile;

    const LOG: &str = "\
user,at,event
a,1710325000,product_view
a,1710325010,product_view
a,1710328000,product_view
";

    fn stage() -> Stage {
        Stage::of(&compile(&new_site()).program.expect("the site compiles")).unwrap()
    }

    fn explained(events: usize, at_ms: u64) -> String {
        let (stage, history) = (stage(), history(LOG));
        let manner = Manner::of(&history, &[]);
        let (id, recorded) = history.visitors.iter().next().unwrap();
        let mut walker = Walker::new(&stage, *id, &manner, Given::default(), Detail::Facts);
        for recorded in &recorded[..events] {
            walker.step(recorded).unwrap();
        }
        let behind = walker.visitor().look(recorded[0].happened.writer, at_ms).unwrap();
        explanation(&stage, &behind, id.to_string(), events).to_string()
    }

    #[test]
    fn a_moment_is_explained_with_every_test_and_the_nearest_miss() {
        insta::assert_snapshot!(explained(1, 1_710_325_005_000));
        insta::assert_snapshot!(explained(2, 1_710_325_011_000));
    }

    #[test]
    fn a_code_is_told_from_a_folder() {
        assert!(is_code("E0201") && is_code("w0001"));
        assert!(!is_code("examples/shop") && !is_code("E02") && !is_code("."));
    }

    /// The exit code of `selvedge explain`, where it fails.
    fn ending(what: &str, recorded: RecordedArguments) -> u8 {
        let arguments = ExplainArguments { what: what.to_owned(), recorded, ..ExplainArguments::default() };
        of_failure(&run(&arguments).unwrap_err())
    }

    #[test]
    fn what_the_command_line_names_wrongly_ends_with_2_and_what_cannot_be_done_with_3() {
        let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop");
        let dataset = Some("econ".to_owned());
        assert_eq!(ending("E9999", RecordedArguments::default()), 2);
        assert_eq!(ending("no-such-folder", RecordedArguments::default()), 3);
        assert_eq!(ending(shop, RecordedArguments { dataset, ..RecordedArguments::default() }), 2);
        let events = Some("no-such.ndjson".to_owned());
        assert_eq!(ending(shop, RecordedArguments { events, ..RecordedArguments::default() }), 3);
        assert_eq!(of_failure(&RecordedArguments::default().read().unwrap_err()), 2);
    }

    #[test]
    fn what_is_needed_is_never_told_as_what_is() {
        let lines = explained_of("needs_help and visitor.is_new", &["false"]);
        assert!(lines.contains("    needs needs_help (it is false)  rules.yaml:7:11"), "{lines}");
    }

    #[test]
    fn times_are_read_on_the_sites_clocks() {
        let stage = stage();
        assert_eq!(time_ms(&stage, "2026-03-29T01:30").unwrap(), 1_774_744_200_000);
        assert_eq!(time_ms(&stage, "2026-03-29T00:30:00Z").unwrap(), 1_774_744_200_000);
        assert_eq!(time_ms(&stage, "1774744200000").unwrap(), 1_774_744_200_000);
        assert!(time_ms(&stage, "tomorrow").unwrap_err().to_string().contains("not a time"));
    }

    #[test]
    fn what_cannot_be_given_is_refused_with_what_can() {
        let fault = given(&stage(), &["utm.medum=cpc".to_owned()]).unwrap_err().to_string();
        assert!(fault.contains("did you mean `utm.medium`?"), "{fault}");
        assert!(given(&stage(), &["utm.medium=cpc".to_owned()]).is_ok());
    }

    /// What an explanation says of the test of a rule with this condition, where `needs_help` is given so.
    fn told_of(condition: &str, given_as: &[&str]) -> (String, String) {
        let text = explained_of(condition, given_as);
        let leaf = text.lines().find(|line| line.contains("rules.yaml:7")).expect("the test is told");
        let reason = text.lines().find(|line| line.starts_with("  r  ")).expect("the rule is told");
        (leaf.split_whitespace().next().unwrap().to_owned(), reason.rsplit("  ").next().unwrap().to_owned())
    }

    /// The explanation of a visitor of whom nothing but that is known.
    fn explained_of(condition: &str, given_as: &[&str]) -> String {
        let mut files = new_site();
        let rules = format!(
            "attributes:\n  needs_help:\n    type: bool\n    from: visitor\nrules:\n  - id: r\n    when: {condition}\n    \
             show:\n      slot: hero\n      content: free-shipping\n"
        );
        files.insert("rules.yaml".to_owned(), rules);
        files.remove("tests/hero.yaml");
        let stage = Stage::of(&compile(&files).program.expect("the site compiles")).unwrap();
        let given: Vec<String> = given_as.iter().map(|value| format!("needs_help={value}")).collect();
        let given = self::given(&stage, &given).unwrap();
        let manner = Manner::of(&History::default(), &[]);
        let mut walker = Walker::new(&stage, VisitorId([0; 16]), &manner, given, Detail::Facts);
        let behind = walker.visitor().look(WriterId::mint(1_710_325_000_000, 1), 1_710_325_000_000).unwrap();
        explanation(&stage, &behind, String::new(), 0).to_string()
    }

    #[test]
    fn a_test_of_a_state_is_told_as_it_is_written_and_never_unknown() {
        for (condition, of_true, of_false, of_missing) in [
            ("needs_help is true", "yes", "no", "no"),
            ("needs_help is not true", "no", "yes", "yes"),
            ("needs_help is false", "no", "yes", "no"),
            ("needs_help is not false", "yes", "no", "yes"),
            ("not (needs_help is true)", "no", "yes", "yes"),
            ("not needs_help", "no", "yes", "?"),
            ("(needs_help = true) is not true", "no", "yes", "yes"),
        ] {
            let given: [(&[&str], &str); 3] =
                [(&["true"], of_true), (&["false"], of_false), (&[], of_missing)];
            for (given, expected) in given {
                let (told, reason) = told_of(condition, given);
                assert_eq!(told, expected, "{condition} with {given:?}");
                assert_eq!(reason == "won", expected == "yes", "{condition} with {given:?}: {reason}");
            }
        }
    }
}
