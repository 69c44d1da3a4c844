//! The page of every diagnostic: docs/diagnostics.md is made here, `explain` prints one section of it.

use crate::codes::{Code, Severity};

/// docs/diagnostics.md, whole.
#[must_use]
pub fn diagnostics() -> String {
    let mut page = String::from(
        "# Diagnostics\n\n\
         What `selvedge check` can say, made from the compiler's own documentation \
         (`cargo test -p selvedge-compiler` fails where this page is not current).\n\
         An error forbids a program; a warning does not.\n",
    );
    for code in Code::ALL {
        page.push('\n');
        page.push_str(&section(*code));
    }
    page
}

/// The section of one code, in Markdown: what it means, an example that triggers it, and what mends that.
#[must_use]
pub fn section(code: Code) -> String {
    let severity = match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let doc: Vec<&str> = code.doc().lines().map(str::trim).collect();
    let (file, example) = code.example().split_once('\n').unwrap_or_default();
    let file = file.trim_start_matches("# ");
    format!(
        "## {code}: {}\n\n{severity}. {}\n\nThis triggers it, in `{file}`:\n\n```yaml\n{}\n```\n\nThis mends it:\n\n```diff\n{}\n```\n",
        code.title(),
        doc.join("\n").trim(),
        example.trim_end(),
        code.mend().trim_end(),
    )
}
