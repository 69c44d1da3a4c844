//! Running other programs: output shown, or kept and shown only on failure.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command without standard input, started in `folder`.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The cargo that runs this xtask, in `folder`.
pub fn cargo(folder: &Path) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), folder)
}

/// Runs with output shown as it comes.
///
/// # Errors
/// When the program is missing or ends with a failure.
pub fn shown(command: &mut Command) -> Result<()> {
    let text = describe(command);
    let status = command.status().with_context(|| missing(command, &text))?;
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}

/// Runs in silence and gives back what it printed; on failure the error holds all output.
///
/// # Errors
/// When the program is missing or ends with a failure.
pub fn quiet(command: &mut Command) -> Result<String> {
    let text = describe(command);
    let output = command.output().with_context(|| missing(command, &text))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{text}` failed ({})\n{stdout}{stderr}", output.status);
    }
    Ok(stdout)
}

/// The path of `program` in `PATH`, if it is there.
pub fn find_program(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|place| place.is_file())
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn missing(command: &Command, text: &str) -> String {
    format!("cannot start `{text}`: is {} installed?", command.get_program().to_string_lossy())
}
