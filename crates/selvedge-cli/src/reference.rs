//! docs/cli.md, made from what the command line says of itself.

use crate::arguments::Arguments;
use clap::{Command, CommandFactory};

/// Columns of the help texts in the page.
const WIDTH: usize = 100;

/// docs/cli.md, whole.
#[must_use]
pub fn page() -> String {
    let command = Arguments::command().term_width(WIDTH);
    let mut page = String::from(
        "# The command line\n\n\
         What `selvedge --help` says, made from the command line itself (`cargo test -p selvedge-cli` fails where this \
         page is not current; `SELVEDGE_UPDATE_DOCS=1` writes it).\n\n\
         | command | what it does |\n|---|---|\n",
    );
    let commands: Vec<&Command> = command.get_subcommands().collect();
    for command in &commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let name = command.get_name();
        page.push_str(&format!("| [`selvedge {name}`](#selvedge-{name}) | {about} |\n"));
    }
    page.push_str(&format!("\n{}\n", crate::exit::HELP.replace("Exit codes:\n", "Exit codes:\n\n")));
    for command in commands {
        page.push_str(&section(command.clone()));
    }
    page
}

fn section(command: Command) -> String {
    let name = command.get_name().to_owned();
    let mut command =
        command.bin_name(format!("selvedge {name}")).term_width(WIDTH).disable_version_flag(true);
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let mut text = format!("\n## selvedge {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    for order in command.get_subcommands().filter(|order| order.get_name() != "help") {
        let whole = format!("{name} {}", order.get_name());
        let mut order = order.clone().bin_name(format!("selvedge {whole}")).term_width(WIDTH);
        let help = order.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        text.push_str(&format!("\n### selvedge {whole}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn docs_cli_md_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
        if std::env::var_os("SELVEDGE_UPDATE_DOCS").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page(), "docs/cli.md is not current: SELVEDGE_UPDATE_DOCS=1 writes it");
    }

    #[test]
    fn every_command_has_its_section() {
        let page = page();
        for command in Arguments::command().get_subcommands() {
            assert!(
                page.contains(&format!("\n## selvedge {}\n", command.get_name())),
                "{}",
                command.get_name()
            );
        }
    }
}
