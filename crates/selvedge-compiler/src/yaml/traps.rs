//! What YAML does silently with a condition, told aloud; and syntax errors, with the cause that is behind most of them.

use super::{Node, Scalar};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::Span;

/// A syntax error: named for its trap where it is one.
pub(super) fn syntax_error(at: Span, in_flow: bool, source: &str, found: &str, report: &mut Report) {
    let start = at.start as usize;
    if in_flow && source.get(start..).is_some_and(|rest| rest.starts_with(['[', '{'])) {
        report.add_help(Code::E0011, at, flow_message(), flow_help());
    } else if let Some((indent, key)) = swallowed_key(source, start) {
        let message = format!("`{key}` is indented deeper than the value above it");
        let help = format!("indent `{key}` by {indent} columns, like the key above it");
        report.add_help(Code::E0012, key_span(at, source, key), message, help);
    } else {
        let colons = line_around(source, start).matches(": ").count();
        let help = match colons {
            _ if found.contains("found a tab") || line_around(source, start).contains('\t') => {
                Some("indent with spaces, never with tabs".to_owned())
            }
            _ if found.contains("after double-quoted scalar") => {
                Some("leave out the outer quotes, or use single ones: `'utm.medium = \"cpc\"'`".to_owned())
            }
            2.. if found.contains("',' or '}'") => {
                Some("put a comma between two keys, and quotes around a value that contains `: `".to_owned())
            }
            2.. => Some("quote a value that contains `: `".to_owned()),
            _ => None,
        };
        report.add_help(Code::E0003, at, format!("the file is not valid YAML: {found}"), help);
    }
}

fn key_span(at: Span, source: &str, key: &str) -> Span {
    let start = line_start(source, at.start as usize);
    let indent = source[start..].find(key).unwrap_or(0);
    let start = u32::try_from(start + indent).unwrap_or(at.start);
    Span { file: at.file, start, end: start + u32::try_from(key.len()).unwrap_or(0) }
}

/// What was done to a condition before it reached us.
pub(crate) fn check_condition(node: &Node, scalar: &Scalar, source: &str, report: &mut Report) {
    if let Some(comment) = comment_behind(node.span, source).filter(|_| !scalar.quoted) {
        report.add_help(
            Code::E0010,
            comment,
            "` #` begins a comment here: what follows is not part of the condition",
            "put the comment on its own line, or quote the condition".to_owned(),
        );
    }
    for (at, line) in lines_behind_first(node.span, source) {
        if let Some(key) = leading_key(line) {
            let message = format!("`{key}` was read as part of the value above it");
            report.add_help(Code::E0012, at, message, format!("indent `{key}` like the key above it"));
        }
    }
}

/// What a condition in flow style came to.
pub(crate) fn flow_message() -> &'static str {
    "inside `{...}` a condition ends at a comma or a bracket"
}

/// And what to do about it.
pub(crate) fn flow_help() -> String {
    "write the mapping in block style, one key a line, or quote the condition".to_owned()
}

/// The comment that follows an unquoted scalar on its last line.
fn comment_behind(span: Span, source: &str) -> Option<Span> {
    let rest = source.get(span.end as usize..)?;
    let line = rest.lines().next()?;
    let text = line.trim_start();
    let start = span.end + u32::try_from(line.len() - text.len()).ok()?;
    let end = start + u32::try_from(text.trim_end().len()).ok()?;
    text.starts_with('#').then_some(Span { file: span.file, start, end })
}

/// The later lines of an unquoted scalar that has several, with their places.
fn lines_behind_first(span: Span, source: &str) -> Vec<(Span, &str)> {
    let raw = source.get(span.start as usize..span.end as usize).unwrap_or_default();
    let mut lines = Vec::new();
    let mut start = span.start;
    for (number, line) in raw.split_inclusive('\n').enumerate() {
        let text = line.trim();
        let indent = u32::try_from(line.len() - line.trim_start().len()).unwrap_or(0);
        if number > 0 {
            let at = start + indent;
            let end = at + u32::try_from(text.len()).unwrap_or(0);
            lines.push((Span { file: span.file, start: at, end }, text));
        }
        start += u32::try_from(line.len()).unwrap_or(0);
    }
    lines
}

/// `key` of a line that reads `key:` or `key: value`.
fn leading_key(line: &str) -> Option<&str> {
    let (key, rest) = line.trim_start().split_once(':')?;
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_word && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

fn line_start(source: &str, at: usize) -> usize {
    source[..at.min(source.len())].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_around(source: &str, at: usize) -> &str {
    source[line_start(source, at)..].lines().next().unwrap_or_default()
}

/// The key of the line at `at` and the indentation of the key above, where the line is indented deeper than that.
fn swallowed_key(source: &str, at: usize) -> Option<(usize, &str)> {
    let line = line_around(source, at);
    let key = leading_key(line)?;
    let start = line_start(source, at);
    let above = source[..start].lines().rev().find(|line| !line.trim().is_empty())?;
    let above_key = above.trim_start().trim_start_matches("- ");
    let above_indent = above.len() - above_key.len();
    let indent = line.len() - line.trim_start().len();
    (indent > above_indent && above_key.contains(": ")).then_some((above_indent, key))
}
