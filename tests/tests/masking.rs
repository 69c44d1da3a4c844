//! Masking mangles nothing that a shop writes: the recorded log, and the demo shop's own words.

use anyhow::{Context as _, Result};
use selvedge_cli::replay::dataset::{Dataset, cache_dir};
use selvedge_cli::replay::rows::Rows;
use selvedge_core::masking::masked;
use std::fs;
use std::path::Path;

const COLUMNS: [&str; 8] = [
    "user_id",
    "session_id",
    "event",
    "timestamp",
    "platform",
    "acquisition_channel",
    "user_cohort",
    "user_lifecycle",
];

fn changed<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines.filter_map(|line| masked(line).map(|masked| format!("{line}\n  {masked}"))).collect()
}

#[test]
fn no_row_of_the_recorded_log_is_changed() -> Result<()> {
    let dataset = Dataset::named("ecom").context("the data set is known")?;
    let mut rows = 0;
    for row in Rows::open(fs::File::open(dataset.fetch(&cache_dir())?)?)? {
        let row = row?;
        rows += 1;
        let cells = COLUMNS.map(|column| row.text(column).unwrap_or_default().into_owned());
        assert_eq!(changed(cells.iter().map(String::as_str)), Vec::<String>::new());
        assert_eq!(changed([cells.join(",").as_str()].into_iter()), Vec::<String>::new());
    }
    assert_eq!(rows, 31_106);
    Ok(())
}

#[test]
fn no_word_of_the_demo_shop_is_changed() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("examples/shop/content.yaml"), root.join("examples/shop/rules.yaml")];
    for entry in fs::read_dir(root.join("www/shop/src"))? {
        files.push(entry?.path());
    }
    files.retain(|path| path.is_file());
    assert!(files.len() > 10);
    for file in files {
        let text = fs::read_to_string(&file)?;
        assert_eq!(changed(text.lines()), Vec::<String>::new(), "{}", file.display());
    }
    Ok(())
}
