//! CSV files of a site: a header line, then rows (RFC 4180).

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::source::Files;
use crate::suggest::nearest;

/// Rows of one file.
const ROWS_MAX: usize = 20_000;

/// A file, read: the names of its columns, and its rows, each with as many cells.
#[derive(Debug)]
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Reads the CSV file of this name; `None` where that fails, which is reported at the name.
pub(super) fn read_table(name: &Spanned<String>, files: &Files<'_>, report: &mut Report) -> Option<Table> {
    let Some(file) = files.find(&name.value) else {
        let known = files.names().filter(|known| known.ends_with(".csv"));
        let help = nearest(&name.value, known).map(|near| format!("did you mean `{near}`?"));
        let message = format!("the site's folder has no file `{}`", name.value);
        report.add_help(Code::E0430, name.span, message, help);
        return None;
    };
    match parse(files.text(file)) {
        Ok(table) => Some(table),
        Err(fault) => {
            report.add(Code::E0430, name.span, format!("`{}` cannot be read: {fault}", name.value));
            None
        }
    }
}

fn parse(text: &str) -> Result<Table, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = cells(reader.headers().map_err(|fault| fault.to_string())?);
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() >= ROWS_MAX {
            return Err(format!("it has more than {ROWS_MAX} rows"));
        }
        rows.push(cells(&record.map_err(|fault| fault.to_string())?));
    }
    Ok(Table { columns, rows })
}
