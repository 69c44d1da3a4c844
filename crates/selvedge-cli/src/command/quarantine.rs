//! `selvedge quarantine`: what was refused, why, and what became of it when it was taken up again.

use super::query::query;
use super::table::table;
use crate::arguments::quarantine::{
    ExportArguments, GroupsArguments, ListArguments, OrderArguments, QuarantineOrder, SelectionArguments,
    ShowArguments, SiteArguments,
};
use crate::exit::Ending;
use crate::remote::{Remote, expect_ok};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::{BufRead, BufWriter, ErrorKind, Write, stdout};
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// Where the worker gives no answer, or refuses the order.
pub fn run(order: &QuarantineOrder) -> Result<Ending> {
    match order {
        QuarantineOrder::List(arguments) => list(arguments),
        QuarantineOrder::Show(arguments) => show(arguments),
        QuarantineOrder::Groups(arguments) => groups(arguments),
        QuarantineOrder::Replay(arguments) => act(arguments, "replay"),
        QuarantineOrder::Drop(arguments) => act(arguments, "drop"),
        QuarantineOrder::Export(arguments) => export(arguments),
    }
}

fn list(arguments: &ListArguments) -> Result<Ending> {
    let mut pairs = pairs_of(&arguments.selection, &arguments.at);
    pairs.push(("limit", arguments.limit.to_string()));
    pairs.extend(arguments.from.clone().map(|cursor| ("from", cursor)));
    let lines = Remote::new(&arguments.at.remote).stream(&query("/v1/quarantine", &pairs))?;
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    for line in lines.lines() {
        let line = line.context("the list was cut")?;
        if arguments.json {
            print(&line)?;
            continue;
        }
        let entry: Value = serde_json::from_str(&line).context("the worker sent a line that is no JSON")?;
        cursor = text(&entry, "/cursor").to_owned();
        entries.push(row_of(&entry));
    }
    if arguments.json {
        return Ok(Ending::Done);
    }
    let is_cut = u64::try_from(entries.len()).unwrap_or(u64::MAX) >= arguments.limit;
    print(&table(&["ENTRY", "RECEIVED", "STAGE", "REASON", "EVENT", "WHAT WAS FOUND"], &entries))?;
    if is_cut {
        print(&format!("more: --from {cursor}"))?;
    }
    Ok(Ending::Done)
}

fn row_of(entry: &Value) -> Vec<String> {
    let stage = match text(entry, "/destination") {
        "" => text(entry, "/stage").to_owned(),
        destination => format!("to {destination}"),
    };
    let found = match text(entry, "/faults/0/path") {
        "" => text(entry, "/faults/0/message").to_owned(),
        path => format!("{path}: {}", text(entry, "/faults/0/message")),
    };
    let name = Some(text(entry, "/event/name")).filter(|name| !name.is_empty());
    vec![
        text(entry, "/entry").to_owned(),
        text(entry, "/received_at").get(..19).unwrap_or_default().replace('T', " "),
        stage,
        text(entry, "/code").to_owned(),
        name.unwrap_or("-").to_owned(),
        found,
    ]
}

fn show(arguments: &ShowArguments) -> Result<Ending> {
    let path = query(&format!("/v1/quarantine/{}", arguments.entry), &site_of(&arguments.at));
    let answer = Remote::new(&arguments.at.remote).get(&path)?;
    ensure!(answer.status != 404, "there is no entry {}, or no more", arguments.entry);
    let body = expect_ok(answer, &path)?;
    if arguments.json {
        print(&String::from_utf8_lossy(&body))?;
        return Ok(Ending::Done);
    }
    let entry: Value = serde_json::from_slice(&body).context("the worker's answer is no JSON")?;
    print(&shown(&entry))?;
    Ok(Ending::Done)
}

/// What was found and what to do, then everything that is kept.
fn shown(entry: &Value) -> String {
    let cells = row_of(entry);
    let [name, received, stage, code, event, found] = cells.as_slice() else { return String::new() };
    let whole = serde_json::to_string_pretty(entry).unwrap_or_default();
    format!(
        "entry {name}: {event}, refused as {code} ({stage}, {received})\n  found: {found}\n  to do: {}\n\n{whole}",
        text(entry, "/fix")
    )
}

fn groups(arguments: &GroupsArguments) -> Result<Ending> {
    let path = query("/v1/quarantine/groups", &pairs_of(&arguments.selection, &arguments.at));
    let body = expect_ok(Remote::new(&arguments.at.remote).get(&path)?, &path)?;
    if arguments.json {
        print(&String::from_utf8_lossy(&body))?;
        return Ok(Ending::Done);
    }
    let answer: Value = serde_json::from_slice(&body).context("the worker's answer is no JSON")?;
    print(&grouped(&answer))?;
    Ok(Ending::Done)
}

fn grouped(answer: &Value) -> String {
    let groups = answer.get("groups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let row = |group: &Value| {
        let place = [text(group, "/event"), text(group, "/path")];
        let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
        let reason = match text(group, "/destination") {
            "" => text(group, "/reason").to_owned(),
            destination => format!("{} by {destination}", text(group, "/reason")),
        };
        let seen = |name: &str| text(group, name).get(..16).unwrap_or_default().replace('T', " ");
        let count = group.get("count").and_then(Value::as_u64).unwrap_or_default().to_string();
        vec![
            count,
            reason,
            place.join(" "),
            seen("/first_seen"),
            seen("/last_seen"),
            text(group, "/example").to_owned(),
        ]
    };
    let rows: Vec<_> = groups.iter().map(row).collect();
    let mut out = table(&["COUNT", "REASON", "WHERE", "FIRST", "NEWEST", "EXAMPLE"], &rows);
    let mut told: Vec<&str> = Vec::new();
    for group in groups {
        let reason = text(group, "/reason");
        if !told.contains(&reason) {
            told.push(reason);
            out.push_str(&format!("\n{reason}: {}", text(group, "/fix")));
        }
    }
    out
}

fn act(arguments: &OrderArguments, what: &str) -> Result<Ending> {
    let selection = order_of(&arguments.selection);
    let says_which = !arguments.entries.is_empty() || !selection.is_empty();
    ensure!(
        says_which || arguments.all,
        "say which entries: by name, by what they share (--reason ...), or --all"
    );
    let remote = Remote::new(&arguments.at.remote);
    let path = query(&format!("/v1/quarantine/{what}"), &site_of(&arguments.at));
    let mut order = selection;
    if !arguments.entries.is_empty() {
        order.insert("entries".into(), json!(arguments.entries));
    } else if !says_which {
        order.insert("all".into(), json!(true));
    }
    let mut sums = Sums::default();
    loop {
        let body = Value::Object(order.clone()).to_string();
        let answer = expect_ok(remote.post(&path, body.as_bytes())?, &path)?;
        let answer: Value = serde_json::from_slice(&answer).context("the worker's answer is no JSON")?;
        sums.add(&answer, arguments.json)?;
        match answer.get("next") {
            Some(next) => order.insert("from".into(), next.clone()),
            None => break,
        };
    }
    if !arguments.json {
        print(&sums.told(what))?;
    }
    Ok(Ending::Done)
}

/// What became of the entries of all answers.
#[derive(Default)]
struct Sums {
    replayed: u64,
    dropped: u64,
    destroyed: u64,
    /// Why entries stayed, and how many each.
    stayed: Vec<(String, u64)>,
}

impl Sums {
    fn add(&mut self, answer: &Value, is_json: bool) -> Result<()> {
        let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.replayed += count("replayed");
        self.dropped += count("dropped");
        self.destroyed += count("destroyed");
        for entry in answer.get("entries").and_then(Value::as_array).into_iter().flatten() {
            if is_json {
                print(&entry.to_string())?;
            }
            let why = match text(entry, "/result") {
                "replayed" | "dropped" | "destroyed" => continue,
                "refused" => text(entry, "/reason"),
                other => other,
            };
            match self.stayed.iter_mut().find(|(known, _)| known == why) {
                Some((_, count)) => *count += 1,
                None => self.stayed.push((why.to_owned(), 1)),
            }
        }
        Ok(())
    }

    fn told(&self, what: &str) -> String {
        let mut parts = vec![match what {
            "drop" => format!("{} dropped", self.dropped),
            _ => format!("{} replayed", self.replayed),
        }];
        if self.destroyed > 0 {
            parts.push(format!("{} destroyed: consent was taken back", self.destroyed));
        }
        let stayed: u64 = self.stayed.iter().map(|(_, count)| count).sum();
        if stayed > 0 {
            let why: Vec<String> = self.stayed.iter().map(|(why, count)| format!("{count} {why}")).collect();
            parts.push(format!("{stayed} stayed ({})", why.join(", ")));
        }
        parts.join(", ")
    }
}

fn export(arguments: &ExportArguments) -> Result<Ending> {
    let mut pairs = pairs_of(&arguments.selection, &arguments.at);
    pairs.extend(arguments.from.clone().map(|cursor| ("from", cursor)));
    let mut out = writer(arguments.out.as_deref())?;
    let lines = Remote::new(&arguments.at.remote).stream(&query("/v1/quarantine", &pairs))?;
    let mut count = 0u64;
    for line in lines.lines() {
        let line = line.context("the export was cut; go on with --from and the last line's cursor")?;
        match writeln!(out, "{line}") {
            Err(fault) if fault.kind() == ErrorKind::BrokenPipe => return Ok(Ending::Done),
            written => written.context("the export cannot be written")?,
        }
        count += 1;
    }
    out.flush().context("the export cannot be written")?;
    if arguments.out.is_some() {
        print(&format!("{count} entries written"))?;
    }
    Ok(Ending::Done)
}

fn writer(file: Option<&Path>) -> Result<Box<dyn Write>> {
    let Some(path) = file else { return Ok(Box::new(stdout().lock())) };
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    Ok(Box::new(BufWriter::new(opened.with_context(|| format!("{} cannot be made", path.display()))?)))
}

fn site_of(at: &SiteArguments) -> Vec<(&'static str, String)> {
    at.site.clone().map(|name| ("site", name)).into_iter().collect()
}

fn pairs_of(selection: &SelectionArguments, at: &SiteArguments) -> Vec<(&'static str, String)> {
    let mut pairs = site_of(at);
    pairs.extend(texts(selection).into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    let times = [("since", selection.since), ("until", selection.until)];
    pairs.extend(times.into_iter().filter_map(|(name, time)| Some((name, time?.0.to_string()))));
    pairs
}

/// The selection as an order has it.
fn order_of(selection: &SelectionArguments) -> Map<String, Value> {
    let mut order = Map::new();
    for (name, text) in texts(selection) {
        order.extend(text.clone().map(|text| (name.to_owned(), Value::String(text))));
    }
    for (name, time) in [("since", selection.since), ("until", selection.until)] {
        order.extend(time.map(|time| (name.to_owned(), json!(time.0))));
    }
    order
}

fn texts(selection: &SelectionArguments) -> [(&'static str, &Option<String>); 7] {
    [
        ("reason", &selection.reason),
        ("stage", &selection.stage),
        ("destination", &selection.destination),
        ("event", &selection.event),
        ("source", &selection.source),
        ("visitor", &selection.visitor),
        ("id", &selection.id),
    ]
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn print(line: &str) -> Result<()> {
    match writeln!(stdout().lock(), "{line}") {
        Err(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("nothing can be printed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Value {
        json!({
            "entry": "2.17", "cursor": "2.17", "fix": "add the event", "stage": "ingest", "code": "unknown_event",
            "received_at": "2026-11-22T10:00:00.000Z", "event": {"name": "wave"},
            "faults": [{"path": "name", "message": "the tracking plan has no event `wave` of this type"}]
        })
    }

    #[test]
    fn the_list_is_a_table() {
        let mut delivery = entry();
        delivery["destination"] = json!("crm");
        delivery["event"] = json!(null);
        insta::assert_snapshot!(table(
            &["ENTRY", "RECEIVED", "STAGE", "REASON", "EVENT", "WHAT WAS FOUND"],
            &[row_of(&entry()), row_of(&delivery)]
        ));
        assert_eq!(table(&["A"], &[]), "nothing there");
    }

    #[test]
    fn groups_say_what_to_do_once_for_each_reason() {
        let group = |event: &str, count: u64| {
            json!({"stage": "ingest", "reason": "unknown_event", "path": "name", "event": event, "count": count,
                "first_seen": "2026-11-20T10:00:00.000Z", "last_seen": "2026-11-22T10:00:00.000Z", "example": "2.17",
                "fix": "add the event to tracking-plan.yaml, publish, then replay"})
        };
        insta::assert_snapshot!(grouped(&json!({"groups": [group("wave", 1_200), group("nod", 3)]})));
    }

    #[test]
    fn an_entry_is_shown_with_what_to_do() {
        let shown = shown(&entry());
        assert!(
            shown.starts_with("entry 2.17: wave, refused as unknown_event (ingest, 2026-11-22 10:00:00)\n")
        );
        assert!(shown.contains("\n  to do: add the event\n"));
    }

    #[test]
    fn what_became_of_an_order_is_one_line() -> Result<()> {
        let mut sums = Sums::default();
        let stays = json!({"result": "refused", "reason": "wrong_type"});
        sums.add(&json!({"replayed": 3, "destroyed": 1, "entries": [stays, {"result": "failed"}]}), false)?;
        sums.add(&json!({"replayed": 2, "entries": [stays]}), false)?;
        assert_eq!(
            sums.told("replay"),
            "5 replayed, 1 destroyed: consent was taken back, 3 stayed (2 wrong_type, 1 failed)"
        );
        assert_eq!(Sums { dropped: 4, ..Sums::default() }.told("drop"), "4 dropped");
        Ok(())
    }
}
