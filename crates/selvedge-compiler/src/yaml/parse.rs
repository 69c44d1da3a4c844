//! Text in, tree out; syntax errors and duplicate keys are reported, not thrown.

use super::traps;
use super::{Anchor, Entry, Map, Node, Scalar, Value};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::{FileId, Span};
use serde_saphyr::granit_parser as granit;

/// Bytes of one file.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Nesting of one file.
const DEPTH_MAX: usize = 32;

/// The file's one document, an empty mapping where it is empty; `None` where it could not be read, which is reported.
pub(crate) fn parse_whole(file: FileId, source: &str, report: &mut Report) -> Option<Node> {
    parse_part(file, source, source, 0, report)
}

/// As [`parse_whole`], of a part of the file: its first byte stands at `start`.
pub(super) fn parse_part(
    file: FileId,
    source: &str,
    part: &str,
    start: usize,
    report: &mut Report,
) -> Option<Node> {
    if source.len() > FILE_BYTES_MAX {
        let message =
            format!("the file has {} bytes; a file may have at most {FILE_BYTES_MAX}", source.len());
        report.add(Code::E0016, Span::top(file), message);
        return None;
    }
    let parser = granit::Parser::new_from_str(part);
    let mut tree = Tree { file, source, start, report, open: Vec::new(), root: None, documents: 0 };
    for next in parser {
        match next {
            Ok((event, span)) => tree.take(&event, span)?,
            Err(error) => {
                tree.syntax_error(&error);
                return None;
            }
        }
    }
    let nothing = Node { span: Span::top(file), value: Value::Map(Map::default()) };
    Some(tree.root.unwrap_or(nothing))
}

/// A collection that is not closed yet.
struct Open {
    span: Span,
    in_flow: bool,
    collected: Collected,
}

enum Collected {
    List(Vec<Node>),
    Map(Map, Option<(String, Span)>),
}

struct Tree<'a> {
    file: FileId,
    source: &'a str,
    /// Where in the file the text begins that is read.
    start: usize,
    report: &'a mut Report,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Tree<'_> {
    /// Takes one event; `None` gives up on the file.
    fn take(&mut self, event: &granit::Event<'_>, span: granit::Span) -> Option<()> {
        use granit::Event;
        let at = self.span(span);
        match event {
            Event::DocumentStart(..) => return self.document(at),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_anchor(*anchor, at);
                self.refuse_tag(tag.is_some(), span);
                let node = self.scalar(text, *style, at);
                self.place(node);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_anchor(*anchor, at);
                self.refuse_tag(tag.is_some(), span);
                self.open(at, *style, Collected::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_anchor(*anchor, at);
                self.refuse_tag(tag.is_some(), span);
                self.open(at, *style, Collected::Map(Map::default(), None))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(_) => {
                self.refuse_anchor(1, at);
                let node = self.scalar("", granit::ScalarStyle::Plain, at);
                self.place(node);
            }
            _ => {}
        }
        Some(())
    }

    fn document(&mut self, at: Span) -> Option<()> {
        self.documents += 1;
        if self.documents > 1 {
            self.report.add_help(
                Code::E0013,
                at,
                "a second document begins here; a file holds one",
                "remove the `---` line".to_owned(),
            );
            return None;
        }
        Some(())
    }

    fn open(&mut self, span: Span, style: granit::StructureStyle, collected: Collected) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX} levels");
            self.report.add(Code::E0016, span, message);
            return None;
        }
        let in_flow = style == granit::StructureStyle::Flow || self.in_flow();
        self.open.push(Open { span, in_flow, collected });
        Some(())
    }

    fn close(&mut self, at: Span) {
        let Some(open) = self.open.pop() else { return };
        let value = match open.collected {
            Collected::List(items) => Value::List(items),
            Collected::Map(map, _) => Value::Map(map),
        };
        self.place(Node { span: open.span.to(at), value });
    }

    fn scalar(&self, text: &str, style: granit::ScalarStyle, at: Span) -> Node {
        let raw = self.source.get(at.start as usize..at.end as usize).unwrap_or_default();
        let scalar = Scalar {
            text: text.to_owned(),
            quoted: style != granit::ScalarStyle::Plain,
            in_flow: self.in_flow(),
            anchor: Anchor::new(self.file, at.start, raw, text),
        };
        Node { span: at, value: Value::Scalar(scalar) }
    }

    /// Puts a finished value where it belongs: as a key, a value, an item or the root.
    fn place(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.collected) {
            None => self.root = Some(node),
            Some(Collected::List(items)) => items.push(node),
            Some(Collected::Map(_, key @ None)) => *key = Some(key_of(node, self.report)),
            Some(Collected::Map(map, key)) => {
                let Some((name, key_span)) = key.take() else { return };
                let known = map.entries.iter().any(|entry| entry.key == name);
                if known {
                    let message = format!("the key `{name}` stands twice here");
                    self.report.add_help(Code::E0004, key_span, message, "keep one of them".to_owned());
                } else {
                    map.entries.push(Entry { key: name, key_span, value: node });
                }
            }
        }
    }

    fn span(&self, span: granit::Span) -> Span {
        let byte = |marker: granit::Marker| {
            let at = marker.byte_offset().map_or(self.source.len(), |at| self.start + at);
            let at = at.min(self.source.len());
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        let start = byte(span.start);
        let end = byte(span.end).max(start);
        let raw = self.source.get(start as usize..end as usize).unwrap_or_default();
        let printed = u32::try_from(raw.trim_end().len()).unwrap_or(0);
        Span { file: self.file, start, end: start + printed }
    }

    fn in_flow(&self) -> bool {
        self.open.last().is_some_and(|open| open.in_flow)
    }

    fn refuse_anchor(&mut self, anchor: usize, at: Span) {
        if anchor != 0 {
            let before = self.source.get(..at.start as usize).unwrap_or_default();
            let sign = before.rfind('&').filter(|sign| !before[*sign..].contains('\n'));
            let start = sign.and_then(|sign| u32::try_from(sign).ok()).unwrap_or(at.start);
            self.report.add_help(
                Code::E0013,
                Span { start, ..at },
                "anchors and aliases are not part of the language",
                "write the value out, or name it: an audience, a metric, a content".to_owned(),
            );
        }
    }

    fn refuse_tag(&mut self, tagged: bool, span: granit::Span) {
        if !tagged {
            return;
        }
        let at = span.tag_span().map_or_else(|| self.span(span), |tag| self.span(tag));
        let value = self.span(span);
        let written = self.source.get(value.start as usize..value.end as usize).unwrap_or_default();
        let help = match written.lines().next() {
            Some(line) if !line.is_empty() => format!("write `not {line}`, or quote the whole value"),
            _ => "remove the tag, or quote the value".to_owned(),
        };
        let message = "`!` begins a YAML tag here and vanishes from the value";
        self.report.add_help(Code::E0009, at, message, help);
    }

    fn syntax_error(&mut self, error: &granit::ScanError) {
        let marker = *error.marker();
        let at = self.span(granit::Span::empty(marker));
        traps::syntax_error(at, self.in_flow(), self.source, &error.info(), self.report);
    }
}

/// A key's text; a key that is a list or a mapping is reported and takes an impossible name.
fn key_of(node: Node, report: &mut Report) -> (String, Span) {
    let span = node.span;
    match node.value {
        Value::Scalar(scalar) => (scalar.text, span),
        Value::List(_) | Value::Map(_) => {
            report.add(Code::E0007, span, "a key must be a text");
            (String::new(), span)
        }
    }
}
