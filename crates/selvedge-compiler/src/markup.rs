//! What markup and addresses may hold, so that nothing in them runs code: lists of what is allowed, never of what is not.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::template::Piece;
use crate::yaml::Anchor;
use selvedge_core::wire::program::Escape;
use std::ops::Range;

/// Elements of markup. What the page makes of it is checked there again (www/sdk/src/markup.ts).
const ELEMENTS: [&str; 52] = [
    "a",
    "abbr",
    "b",
    "bdi",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "wbr",
];
/// Elements without an end.
const VOID: [&str; 4] = ["br", "hr", "img", "wbr"];
/// Attributes that hold an address.
const ADDRESSES: [&str; 9] =
    ["href", "src", "cite", "action", "formaction", "poster", "data", "background", "xlink:href"];
/// Attributes of markup that are text to their readers.
const TEXTS: [&str; 3] = ["title", "alt", "aria-label"];
/// Other attributes of markup.
const OTHERS: [&str; 16] = [
    "class", "lang", "dir", "role", "target", "rel", "width", "height", "loading", "decoding", "datetime",
    "colspan", "rowspan", "scope", "start", "hreflang",
];

/// Why an attribute may not be set: it could run code, or is ours.
pub(crate) fn is_forbidden(attribute: &str) -> bool {
    attribute.starts_with("on")
        || attribute.starts_with("data-selvedge-")
        || matches!(attribute, "srcdoc" | "srcset" | "style")
}

/// What an attribute's value is, for a placeholder in it; `None`: none may stand there.
pub(crate) fn escape_in_attribute(attribute: &str) -> Option<Escape> {
    let is_text = TEXTS.contains(&attribute)
        || matches!(attribute, "placeholder" | "value")
        || attribute.starts_with("data-")
        || attribute.starts_with("aria-");
    match () {
        () if is_address(attribute) => Some(Escape::Address),
        () if is_text => Some(Escape::Text),
        () => None,
    }
}

/// Whether the attribute holds an address.
pub(crate) fn is_address(attribute: &str) -> bool {
    ADDRESSES.contains(&attribute)
}

/// Whether an address leads to a page, a mail or a call, and not to code. Browsers ignore control characters and spaces
/// within a scheme.
pub(crate) fn is_safe_address(address: &str) -> bool {
    let read: String = address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let end = read.find([':', '/', '?', '#', '\\']);
    match end.map(|end| (read[..end].to_lowercase(), &read[end..=end])) {
        Some((scheme, ":")) => matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel"),
        _ => true,
    }
}

/// Whether what stands before the first placeholder of an address decides where it leads: scheme and host stand there
/// whole.
pub(crate) fn leads_somewhere(before: &str) -> bool {
    let is_plain = !before.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    let rest = ["https://", "http://"].iter().find_map(|scheme| before.strip_prefix(scheme));
    let has_host = rest.is_some_and(|rest| rest.find(['/', '?', '#']).is_some_and(|end| end > 0));
    let is_local = before.starts_with(['?', '#']) || before.starts_with('/') && !before.starts_with("//");
    is_plain && (has_host || is_local || before.starts_with("mailto:") || before.starts_with("tel:"))
}

/// Checks markup; gives for each of its placeholders what it stands in. `None` where it has an error, which is reported.
pub(crate) fn check(
    text: &str,
    pieces: &[Piece],
    anchor: &Anchor,
    report: &mut Report,
) -> Option<Vec<Escape>> {
    let holes = pieces.iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Placeholder(placeholder) => Some(placeholder.at.clone()),
    });
    let mut check = Check { text, at: 0, holes: holes.collect(), escapes: Vec::new(), open: Vec::new() };
    match check.markup() {
        Ok(()) => Some(check.escapes),
        Err(Wrong { code, at, message, help }) => {
            report.add_help(code, anchor.span(at.start, at.end), message, Some(help));
            None
        }
    }
}

struct Wrong {
    code: Code,
    at: Range<usize>,
    message: String,
    help: String,
}

struct Check<'a> {
    text: &'a str,
    at: usize,
    /// Where placeholders stand.
    holes: Vec<Range<usize>>,
    /// What the placeholders so far stand in.
    escapes: Vec<Escape>,
    /// Elements that are not closed yet, and where they begin.
    open: Vec<(&'a str, usize)>,
}

impl<'a> Check<'a> {
    fn markup(&mut self) -> Result<(), Wrong> {
        while self.at < self.text.len() {
            if self.take_hole(Escape::Html) {
                continue;
            }
            match self.rest().chars().next() {
                Some('<') if self.rest().starts_with("</") => self.closing()?,
                Some('<') => self.opening()?,
                other => self.at += other.map_or(1, char::len_utf8),
            }
        }
        match self.open.pop() {
            None => Ok(()),
            Some((name, at)) => Err(self.wrong(
                at..at + 1 + name.len(),
                format!("`<{name}>` is not closed"),
                format!("write `</{name}>`"),
            )),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes the placeholder that stands here, if one does.
    fn take_hole(&mut self, escape: Escape) -> bool {
        let found = self.holes.iter().find(|hole| hole.start == self.at);
        if let Some(hole) = found {
            self.at = hole.end;
            self.escapes.push(escape);
            return true;
        }
        false
    }

    fn closing(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.at += 2;
        let name = self.name();
        self.spaces();
        let closes = self.open.last().is_some_and(|(open, _)| *open == name) && self.rest().starts_with('>');
        if !closes {
            let help =
                self.open.last().map_or("remove it".to_owned(), |(open, _)| format!("write `</{open}>`"));
            return Err(self.wrong(
                start..self.at.max(start + 2),
                format!("`</{name}` closes nothing here"),
                help,
            ));
        }
        self.at += 1;
        self.open.pop();
        Ok(())
    }

    fn opening(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.at += 1;
        let name = self.name();
        if !ELEMENTS.contains(&name) {
            let message = match name {
                "" => "`<` begins no element here".to_owned(),
                _ => format!("`<{name}>` may not stand in a content"),
            };
            let help =
                if name.is_empty() { "write `&lt;`" } else { "use text, links, lists, images and tables" };
            return Err(self.wrong(start..self.at, message, help.to_owned()));
        }
        let mut taken: Vec<&str> = Vec::new();
        loop {
            let spaces = self.spaces();
            let is_void = VOID.contains(&name);
            if self.rest().starts_with('>') || is_void && self.rest().starts_with("/>") {
                self.at += if self.rest().starts_with('>') { 1 } else { 2 };
                if !is_void {
                    self.open.push((name, start));
                }
                return Ok(());
            }
            let attribute = self.attribute(spaces)?;
            if taken.contains(&attribute) {
                let message = format!("`{attribute}` stands twice in `<{name}>`");
                return Err(self.wrong(start..self.at, message, "remove one".to_owned()));
            }
            taken.push(attribute);
        }
    }

    /// One attribute with its value in quotes.
    fn attribute(&mut self, is_apart: bool) -> Result<&'a str, Wrong> {
        let start = self.at;
        self.refuse_hole("in a tag")?;
        let name = self.name();
        if name.is_empty() || !is_apart {
            let end = (start + self.rest().chars().next().map_or(0, char::len_utf8)).max(self.at);
            let message = "expected an attribute or `>`".to_owned();
            return Err(self.wrong(start..end, message, "write `name=\"value\"`, then `>`".to_owned()));
        }
        let is_known = is_address(name) || TEXTS.contains(&name) || OTHERS.contains(&name);
        let is_free = name.starts_with("data-") || name.starts_with("aria-");
        if is_forbidden(name) || !is_known && !is_free {
            let help = "use `class`, `title`, `href`, `src`, `alt` or a `data-...` attribute".to_owned();
            return Err(self.wrong(start..self.at, format!("`{name}` may not stand in a content"), help));
        }
        let quote = match self.rest().get(..2) {
            Some("=\"") => '"',
            Some("='") => '\'',
            _ => {
                let message = format!("the value of `{name}` is not in quotes");
                return Err(self.wrong(start..self.at, message, format!("write `{name}=\"...\"`")));
            }
        };
        self.at += 2;
        self.value(name, quote)?;
        Ok(name)
    }

    fn value(&mut self, name: &str, quote: char) -> Result<(), Wrong> {
        let start = self.at;
        let escape = match escape_in_attribute(name) {
            // In quotes, so that a quote in the value would end it.
            Some(Escape::Text) => Some(Escape::Html),
            other => other,
        };
        let mut holes = 0;
        loop {
            match escape {
                Some(Escape::Address) if holes == 0 => self.check_before(start)?,
                None => self.refuse_hole(&format!("in `{name}`"))?,
                Some(_) => {}
            }
            if escape.is_some_and(|escape| self.take_hole(escape)) {
                holes += 1;
                continue;
            }
            match self.rest().chars().next() {
                Some(found) if found == quote => break,
                Some(found) => self.at += found.len_utf8(),
                None => {
                    let message = format!("the value of `{name}` has no closing quote");
                    return Err(self.wrong(start..start, message, format!("close it with {quote}")));
                }
            }
        }
        let value = &self.text[start..self.at];
        if is_address(name) && holes == 0 && !(is_safe_address(value) && has_no_reference(value)) {
            let help = "use an address of a page: `/sale`".to_owned();
            return Err(Wrong {
                code: Code::E0403,
                at: start..self.at,
                message: format!("`{name}` may not lead there"),
                help,
            });
        }
        self.at += 1;
        Ok(())
    }

    /// Before the first placeholder of an address, its scheme and host must stand.
    fn check_before(&self, start: usize) -> Result<(), Wrong> {
        let before = &self.text[start..self.at];
        let Some(hole) = self.holes.iter().find(|hole| hole.start == self.at) else { return Ok(()) };
        if leads_somewhere(before) && has_no_reference(before) {
            Ok(())
        } else {
            Err(address_wrong(hole.clone()))
        }
    }

    fn refuse_hole(&self, place: &str) -> Result<(), Wrong> {
        match self.holes.iter().find(|hole| hole.start == self.at) {
            None => Ok(()),
            Some(hole) => Err(Wrong {
                code: Code::E0603,
                at: hole.clone(),
                message: format!("a value {place} cannot be made safe"),
                help: "write it between tags, or in `title`, `alt`, `href` or a `data-...` attribute"
                    .to_owned(),
            }),
        }
    }

    /// A name in lower case, as far as one stands here.
    fn name(&mut self) -> &'a str {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let name = &self.rest()[..length];
        self.at += length;
        name
    }

    /// Passes white space; whether there was any.
    fn spaces(&mut self) -> bool {
        let length = self.rest().len() - self.rest().trim_start_matches([' ', '\n', '\t']).len();
        self.at += length;
        length > 0
    }

    fn wrong(&self, at: Range<usize>, message: String, help: String) -> Wrong {
        Wrong { code: Code::E0605, at, message, help }
    }
}

fn address_wrong(at: Range<usize>) -> Wrong {
    let (message, help) = address_fault();
    Wrong { code: Code::E0603, at, message, help }
}

/// What is said of a placeholder that could say where an address leads.
pub(crate) fn address_fault() -> (String, String) {
    (
        "a value may not say where an address leads".to_owned(),
        "begin the address with `/` or with `https://` and the host: `/c/{{...}}`".to_owned(),
    )
}

/// A character reference could hide a scheme; `&amp;` alone is needed.
fn has_no_reference(value: &str) -> bool {
    value.split('&').skip(1).all(|rest| rest.starts_with("amp;"))
}
