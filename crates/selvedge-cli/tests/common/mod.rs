//! Recorded purchases, and the command line run over them.

use std::path::Path;
use std::process::Command;

/// What the columns of recorded purchases mean; what else a purchase has may follow.
pub const MAP: &str = "dataset: purchases
site: outfitter
write_key: wk_outfitter
user: visitor
time:
  column: time
  format: rfc3339
event:
  column: event
properties:
  - events: [purchase]
    set:
      value:
        number: value
";

/// Whether the command ended well, and all it said.
pub fn selvedge(folder: &Path, command: &[&str]) -> (bool, String) {
    let mut run = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    let output = run.args(command).current_dir(folder).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}
