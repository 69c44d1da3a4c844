//! A long rules.yaml read by two threads: it is cut before a rule near its middle, and each half is read as a file of its
//! own. Halves in which anything is wrong are not joined: the file is read again as a whole, which knows what to say.

use super::parse::{parse_part, parse_whole};
use super::{Node, Value};
use crate::diagnostic::Report;
use crate::source::FileId;
use crate::threads::Threads;

/// What the list of rules stands under; the second half begins with it too.
const KEY: &str = "rules:\n";

/// As [`parse_whole`], by so many threads.
pub(crate) fn parse(file: FileId, source: &str, threads: Threads, report: &mut Report) -> Option<Node> {
    let cut = if threads == Threads::Two { cut(source) } else { None };
    let joined = cut.and_then(|cut| parse_halves(file, source, cut, threads));
    joined.or_else(|| parse_whole(file, source, report))
}

fn parse_halves(file: FileId, source: &str, cut: Cut, threads: Threads) -> Option<Node> {
    let rest = format!("{KEY}{}", &source[cut.line..]);
    let (first, second) = threads.both(
        // Up to the dash, because there ends what stands before a rule.
        || flawless(file, source, &source[..cut.dash], 0),
        || flawless(file, source, &rest, cut.line - KEY.len()),
    );
    join(first?, second?)
}

/// The tree of a part of the file that begins at byte `start`, where nothing is wrong in it.
fn flawless(file: FileId, source: &str, part: &str, start: usize) -> Option<Node> {
    let mut report = Report::default();
    let node = parse_part(file, source, part, start, &mut report)?;
    report.is_empty().then_some(node)
}

/// The rule to cut before: where its line begins, and where its dash stands.
struct Cut {
    line: usize,
    dash: usize,
}

/// The first rule behind the middle of the file, where only rules stand between `rules:` and it.
fn cut(source: &str) -> Option<Cut> {
    let mut keys = source.match_indices(KEY).map(|(at, _)| at);
    let list = keys.find(|at| source[..*at].is_empty() || source[..*at].ends_with('\n'))? + KEY.len();
    let indent = source[list..].lines().find_map(indent_of_item)?;
    let middle = source.floor_char_boundary(source.len() / 2).max(list);
    let line = middle + source[middle..].find(&format!("\n{}- ", " ".repeat(indent)))? + 1;
    let is_of_list = |line: &str| line.is_empty() || line.starts_with([' ', '#', '-']);
    source[list..line].lines().all(is_of_list).then_some(Cut { line, dash: line + indent })
}

/// How far a line is indented that begins an item.
fn indent_of_item(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    text.starts_with("- ").then_some(line.len() - text.len())
}

/// The first half with the rules of the second, and what stands behind them. `None` where a key stands in both.
fn join(first: Node, second: Node) -> Option<Node> {
    let span = first.span.to(second.span);
    let (Value::Map(mut map), Value::Map(rest)) = (first.value, second.value) else { return None };
    let mut rest = rest.entries.into_iter();
    let (rules, more) = (map.entries.last_mut().filter(|last| last.key == "rules")?, rest.next()?);
    rules.value.span = rules.value.span.to(more.value.span);
    let (Value::List(items), Value::List(more)) = (&mut rules.value.value, more.value.value) else {
        return None;
    };
    items.extend(more);
    for entry in rest {
        if map.entries.iter().any(|known| known.key == entry.key) {
            return None;
        }
        map.entries.push(entry);
    }
    Some(Node { span, value: Value::Map(map) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);

    /// The tree, where two threads read it; with every place in it.
    fn of_two(source: &str) -> Option<String> {
        parse_halves(FILE, source, cut(source)?, Threads::Two).map(|node| format!("{node:#?}"))
    }

    fn of_one(source: &str) -> String {
        format!("{:#?}", parse_whole(FILE, source, &mut Report::default()).expect("a tree"))
    }

    #[test]
    fn two_halves_are_the_whole() {
        let head = "attributes:\n  vip:\n    type: bool\n\n";
        let rules = "  - id: a\n    when: x = 1 and\n      y = \"é\"\n    show: {slot: s, content: c}\n\n  # Ό\n  - id: b\n    \
                     trigger:\n      - one\n      - two\n    when: \"it \\\"s\\\"\n      folded\"\n  - when: |\n      - id: no\n\n      x\n    id: c\n";
        let rules = rules.repeat(3);
        let at_once = rules.replace("\n  ", "\n");
        for source in [
            format!("{head}rules:\n{rules}"),
            format!("rules:\n{rules}"),
            format!("rules:\n\n  # All of them.\n{rules}goals:\n  sold:\n    event: purchase\n"),
            format!("{head}rules:\n{}", &at_once[2..]),
        ] {
            assert_eq!(of_two(&source), Some(of_one(&source)), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_cut_is_read_as_a_whole() {
        for source in [
            "rules:\n  a: 1\n  b: 2\n",
            "rules:\n  - id: a\nother:\n  - id: b\n  - id: c\n  - id: d\n",
            "rules:\n  - id: a\nrules:\n  - id: b\n",
            "goals: {}\nrules:\n  - id: a\n  - id: b\n  - id: c\ngoals: {}\n",
            "rules: [\n  - id: a\n  - id: b\n]\n",
            "rules:\n  - id: a\n  - id: [\n  - id: b\n",
            "rules:\n  - id: a\n  - id: &x b\n  - id: *x\n",
        ] {
            assert_eq!(of_two(source), None, "{source}");
        }
    }
}
