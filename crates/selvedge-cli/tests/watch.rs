//! `selvedge test --watch`, as a process: a saved file is tried at once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

struct Watching {
    process: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn of(site: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .args(["test", "--watch"])
            .arg(site)
            .stdout(Stdio::piped())
            .spawn()
            .expect("selvedge starts");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { process, lines }
    }

    /// Waits for a run that comes out so. A file that is just being saved may be tried half-written before.
    fn until(&self, is_so: impl Fn(&[String]) -> bool) {
        let mut runs = Vec::new();
        while runs.last().is_none_or(|run: &Vec<String>| !is_so(run)) {
            assert!(runs.len() < 8, "none of these: {runs:#?}");
            runs.push(self.run());
        }
    }

    /// What is printed up to the line that says that it watches.
    fn run(&self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("it goes on");
            if line.starts_with("watching ") {
                return lines;
            }
            lines.push(line);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_saved_file_is_tried_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("my-shop");
    let made = Command::new(env!("CARGO_BIN_EXE_selvedge")).arg("new").arg(&site).output().expect("new");
    assert!(made.status.success(), "{made:?}");
    let watching = Watching::of(&site);
    let first = watching.run();
    assert!(first.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{first:?}");
    let rules = site.join("rules.yaml");
    let text = fs::read_to_string(&rules).expect("rules");
    let broken = text.replace(">= 2", ">= 9");
    assert_ne!(text, broken, "the new site counts to two");
    fs::write(&rules, &broken).expect("saved");
    watching.until(|run| run.iter().any(|line| line.starts_with("FAIL")));
    fs::write(&rules, broken.replace(">= 9", ">= nine")).expect("saved");
    // It says what is wrong, and goes on.
    watching.until(|run| !run.iter().any(|line| line.contains("passed")));
    fs::write(&rules, &text).expect("saved");
    watching.until(|run| run == first);
}
