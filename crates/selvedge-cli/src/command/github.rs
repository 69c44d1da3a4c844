//! Diagnostics as GitHub Actions annotates files with them.

use selvedge_compiler::{Compilation, Diagnostic, Severity};
use std::path::Path;

/// One workflow command a diagnostic: `::error file=...,line=...::message`.
#[must_use]
pub fn annotations(compilation: &Compilation, folder: &Path) -> String {
    compilation.diagnostics.iter().map(|found| annotation(found, folder) + "\n").collect()
}

fn annotation(found: &Diagnostic, folder: &Path) -> String {
    let level = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let file = folder.join(&found.file).display().to_string();
    let file = property(file.strip_prefix("./").unwrap_or(&file));
    let message = match &found.help {
        Some(help) => format!("{}\nhelp: {help}", found.message),
        None => found.message.clone(),
    };
    let Diagnostic { line, column, end, code, .. } = found;
    format!(
        "::{level} file={file},line={line},col={column},endLine={},endColumn={},title={}::{}",
        end.line,
        end.column,
        property(&format!("{code}: {}", code.title())),
        data(&message)
    )
}

/// Data of a workflow command is one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property also ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_site;
    use selvedge_compiler::compile;

    #[test]
    fn what_is_wrong_is_put_where_it_stands() {
        let mut files = new_site();
        let rules = files["rules.yaml"].replace("when: shoe_views", "when: shoe_viws");
        files.insert("rules.yaml".to_owned(), rules);
        let annotations = annotations(&compile(&files), Path::new("./sites/shop"));
        assert_eq!(
            annotations.lines().next().unwrap(),
            "::error file=sites/shop/rules.yaml,line=9,col=11,endLine=9,endColumn=20,\
             title=E0201%3A an unknown name in a condition::nothing is named `shoe_viws`\
             %0Ahelp: did you mean `shoe_views`?"
        );
    }

    #[test]
    fn nothing_in_a_message_ends_it() {
        assert_eq!(data("50%\nof"), "50%25%0Aof");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
