//! Compiling: milliseconds from the YAML of a site with 1,000 rules to its two programs. The site is the demo shop with
//! rules of the kind a marketer writes, each with its own number; and how much longer 10,000 take.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use mimalloc::MiMalloc;
use selvedge_benches::measure::{nanoseconds, print_figure};
use selvedge_cli::site_files;

/// As in the command line.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<()> {
    let time = compiling(1_000)?;
    print_figure("compile 1,000 rules", time);
    // Ten times the rules shall take ten times as long.
    print_figure("compile 10,000 rules, in those of 1,000", compiling(10_000)? / time);
    Ok(())
}

/// Milliseconds.
fn compiling(count: usize) -> Result<f64> {
    let mut files = site_files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop"))?;
    files.retain(|path, _| !path.starts_with("tests/"));
    let own = files.get("rules.yaml").map_or(0, |rules| rules.matches("\n  - id: ").count());
    files.entry("rules.yaml".into()).or_default().push_str(&rules(own..count));
    let compilation = selvedge_compiler::compile(&files);
    ensure!(compilation.program.is_some(), "the rules do not compile: {:?}", compilation.diagnostics.first());
    Ok(nanoseconds(|| selvedge_compiler::compile(&files)) / 1e6)
}

fn rules(numbers: std::ops::Range<usize>) -> String {
    numbers.fold(String::new(), |mut yaml, number| {
        let least = 1 + number % 5;
        let _ = write!(
            yaml,
            "\n  - id: generated-{number}\n    when: (count product_view where value >= {} EUR in session) >= {least} \
             and cart_adds = 0 and paid_traffic\n    show:\n      slot: banner\n      content: free_shipping_banner\n",
            10 + number % 8 * 10,
        );
        yaml
    })
}
