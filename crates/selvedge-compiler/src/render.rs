//! A diagnostic as people read it: the line, a caret, the fix.

use crate::codes::Severity;
use crate::diagnostic::Diagnostic;
use crate::source::{Position, byte_at};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// The diagnostic as plain text, with the line of `source` (the file it names) and a caret under what is meant.
///
/// ```
/// let files = [("site.yaml".to_owned(), "nmae: shop\n".to_owned())].into();
/// let compilation = selvedge_compiler::compile(&files);
/// let found = compilation.diagnostics.iter().find(|found| found.code == selvedge_compiler::Code::E0005).unwrap();
/// assert!(selvedge_compiler::render(found, "nmae: shop\n").contains("did you mean `name`?"));
/// ```
#[must_use]
pub fn render(diagnostic: &Diagnostic, source: &str) -> String {
    render_with(diagnostic, source, &Renderer::plain())
}

/// As [`render`], with the colours of a terminal.
#[must_use]
pub fn render_colored(diagnostic: &Diagnostic, source: &str) -> String {
    render_with(diagnostic, source, &Renderer::styled())
}

fn render_with(diagnostic: &Diagnostic, source: &str, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let start = byte_at(source, Position { line: diagnostic.line, column: diagnostic.column });
    let end = byte_at(source, diagnostic.end).max(start);
    let snippet = Snippet::source(source)
        .path(diagnostic.file.as_str())
        .annotation(AnnotationKind::Primary.span(start..end));
    let mut group =
        level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str()).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}
