//! Scores as written: points that events add, and how fast they fade.

use crate::codes::Code;
use crate::condition::{Class, Metric, Path, Points, Score, parse_event};
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal;
use crate::written::entries::name_of;
use crate::written::stretch::duration;
use crate::yaml::{Anchor, Entry, Node};
use selvedge_core::limits::{SCORE_MICRO_MAX, SCORE_POINTS_MAX};
use selvedge_core::wire::program::{Scope, WarmUp, Window};

/// What conditions write before a score's name.
const PREFIX: &str = "score.";

/// Reads one entry of `scores`: the metric `score.NAME`.
pub(super) fn read_score(
    entry: &Entry,
    source: &str,
    report: &mut Report,
) -> Option<(Spanned<String>, Option<Metric>)> {
    const SCOPES: [(&str, Scope); 4] = [
        ("session", Scope::Session),
        ("visitor", Scope::Visitor),
        ("profile", Scope::Profile),
        ("account", Scope::Account),
    ];
    let name = name_of(entry, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let half_life = fields.required("half_life");
    let half_life_ms = half_life.and_then(|node| duration(node, literal::DURATION_MS_MAX, report));
    let points = fields.required("add").map(|node| read_points(node, source, report));
    let min = fields.optional("min").and_then(|node| read_border(node, report));
    let max = fields.optional("max").and_then(|node| read_border(node, report));
    let scope = fields.optional("of").and_then(|node| fields::word(node, &SCOPES, &[], report));
    let warm_up = read_warm_up(&mut fields, report);
    fields.finish(&[], report);
    let (min, max) = (min.unwrap_or(0), max.unwrap_or(SCORE_MICRO_MAX));
    if min > 0 || max < 0 {
        let message = "a score begins at 0, so `min` is at most 0 and `max` at least 0";
        report.add(Code::E0016, entry.key_span, message);
    }
    let points = points.unwrap_or_default();
    let score = half_life_ms.map(|half_life_ms| Score { half_life_ms, min, max, points });
    let path = Path { name: String::new(), property: None, span: name.span };
    let metric = score.map(|score| Metric {
        window: Window::Ever,
        scope: scope.unwrap_or(Scope::Visitor),
        warm_up,
        ..Metric::of(Class::Score(score), path)
    });
    Some((Spanned { value: format!("{PREFIX}{}", name.value), span: name.span }, metric))
}

/// How a metric begins with visitors who were there before it.
pub(super) fn read_warm_up(fields: &mut Fields<'_>, report: &mut Report) -> WarmUp {
    let words = [("log", WarmUp::Log), ("zero", WarmUp::Zero)];
    let word = fields.optional("warm_up").and_then(|node| fields::word(node, &words, &[], report));
    word.unwrap_or_default()
}

fn read_points(node: &Node, source: &str, report: &mut Report) -> Vec<Points> {
    let entries = fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    if entries.is_empty() || entries.len() > SCORE_POINTS_MAX {
        let message = format!("{} events add to the score; 1 to {SCORE_POINTS_MAX}", entries.len());
        report.add(Code::E0016, node.span, message);
    }
    entries.iter().filter_map(|entry| read_point(entry, source, report)).collect()
}

fn read_point(entry: &Entry, source: &str, report: &mut Report) -> Option<Points> {
    let at = entry.key_span;
    let raw = source.get(at.start as usize..at.end as usize).unwrap_or_default();
    let anchor = Anchor::new(at.file, at.start, raw, &entry.key);
    let event = parse_event(&entry.key, &anchor, report);
    let micro = read_border(&entry.value, report)?;
    let (path, filter) = event?;
    Some(Points { path, filter, micro })
}

/// A number of points.
fn read_border(node: &Node, report: &mut Report) -> Option<i64> {
    let text = fields::text(node, report)?;
    let Some(micro) = literal::micro(&text.value) else {
        return fields::wrong_form(node, "a number of points: `25`", report);
    };
    if micro.unsigned_abs() > SCORE_MICRO_MAX.unsigned_abs() {
        let most = literal::micro_text(SCORE_MICRO_MAX);
        report.add(Code::E0016, node.span, format!("`{}` is out of bounds: at most {most}", text.value));
        return None;
    }
    Some(micro)
}
