//! The example sites: each compiles without a word, and its own tests pass.

use std::path::Path;
use std::process::{Command, Output};

fn selvedge(command: &str, site: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut run = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    run.current_dir(root).arg(command).arg(format!("examples/{site}")).output().expect("it runs")
}

fn is_good(site: &str) {
    let check = selvedge("check", site);
    let said = String::from_utf8_lossy(&check.stdout) + String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success() && said.contains("0 errors and 0 warnings"), "{said}");
    let test = selvedge("test", site);
    let said = String::from_utf8_lossy(&test.stdout) + String::from_utf8_lossy(&test.stderr);
    assert!(test.status.success() && said.contains(" passed, 0 failed"), "{said}");
}

#[test]
fn the_shop_does_what_its_tests_say() {
    is_good("shop");
}

#[test]
fn the_app_on_trial_does_what_its_tests_say() {
    is_good("saas");
}

#[test]
fn the_help_desk_does_what_its_tests_say() {
    is_good("support");
}
