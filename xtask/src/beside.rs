//! Figures of several clients, measured in one run and set side by side: a row a figure, a column a client, ours first.

use crate::budget::{Budgets, Figure};

/// Whose figures are held against the targets.
pub const OURS: &str = "selvedge";

/// One figure of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was measured.
    pub figure: String,
    /// Whose it is.
    pub of: String,
    /// How much.
    pub value: f64,
    /// What a reader must know of it: `no batches`.
    pub note: Option<String>,
}

/// The rows, the first of them the head, and below them what the notes' numbers mean.
pub fn rows(measured: &[Measured], budgets: &Budgets) -> (Vec<Vec<String>>, Vec<String>) {
    let clients = in_order(measured.iter().map(|one| one.of.as_str()));
    let mut notes = Vec::new();
    let mut rows = vec![["", "target", "verdict"].map(str::to_string).to_vec()];
    rows[0].splice(1..1, clients.iter().map(ToString::to_string));
    for figure in in_order(measured.iter().map(|one| one.figure.as_str())) {
        let budget = budgets.figures.get(figure);
        let found = |of: &str| measured.iter().find(|one| one.figure == figure && one.of == of);
        let mut row = vec![figure.to_string()];
        row.extend(clients.iter().map(|of| found(of).map(|one| cell(one, &mut notes)).unwrap_or_default()));
        row.push(budget.map(Figure::wanted).unwrap_or_default());
        row.push(budget.zip(found(OURS)).map_or("", |(budget, one)| budget.verdict(one.value)).to_string());
        rows.push(row);
    }
    let told = notes.iter().enumerate().map(|(at, note)| format!("{}) {note}", at + 1));
    (rows, told.collect())
}

/// The number, and that of its note.
fn cell(one: &Measured, notes: &mut Vec<String>) -> String {
    let number = crate::budget::short(one.value);
    let Some(note) = &one.note else { return number };
    let at = notes.iter().position(|known| known == note).unwrap_or_else(|| {
        notes.push(note.clone());
        notes.len() - 1
    });
    format!("{number} {})", at + 1)
}

/// Each once, as they came.
fn in_order<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(figure: &str, of: &str, value: f64, note: Option<&str>) -> Measured {
        Measured { figure: figure.into(), of: of.into(), value, note: note.map(str::to_string) }
    }

    #[test]
    fn ours_is_held_against_the_target_and_a_note_stands_below() -> anyhow::Result<()> {
        let budgets: Budgets = toml::from_str("[figures.call]\nunit = 'µs'\nmax = 20")?;
        let all = [
            measured("call", "selvedge", 21.5, None),
            measured("call", "other", 9.0, Some("no queue")),
            measured("bytes", "other", 400.0, Some("no queue")),
        ];
        let (rows, notes) = rows(&all, &budgets);
        assert_eq!(rows[0], ["", "selvedge", "other", "target", "verdict"]);
        assert_eq!(rows[1], ["call", "21.50", "9 1)", "<= 20 µs", "MISSED"]);
        assert_eq!(rows[2], ["bytes", "", "400 1)", "", ""]);
        assert_eq!(notes, ["1) no queue"]);
        Ok(())
    }
}
