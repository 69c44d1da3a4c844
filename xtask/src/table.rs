//! Figures in columns: the first column to the left, the others to the right.

/// The rows as text; the first is the head, and no row is longer.
pub fn text(rows: &[impl AsRef<[String]>]) -> String {
    let mut widths = vec![0; rows.first().map_or(0, |head| head.as_ref().len())];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells =
            row.as_ref().iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [["part", "bytes"], ["wasm", "9100"], ["all of it", "1"]].map(|row| row.map(str::to_string));
        assert_eq!(text(&rows), "part       bytes\nwasm        9100\nall of it      1\n");
    }
}
