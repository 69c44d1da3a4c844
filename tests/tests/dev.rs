//! `cargo xtask dev`, as a person uses it: it serves, publishes what is saved, keeps the old program when a file is
//! broken, keeps state over a kill, and takes the worker with it however it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use selvedge_tests::Client;
use xtask::repo::{Repo, copy_tree};

/// Building may wait for another build.
const PATIENCE: Duration = Duration::from_secs(300);

/// One run of the command; its output is read line by line.
struct Dev {
    child: Child,
    lines: Receiver<String>,
    url: String,
}

impl Dev {
    fn start(site: &Path, data: &Path) -> Result<Dev> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["run", "--quiet", "--package", "xtask", "--", "dev", "--port", "0"]);
        command.arg("--site").arg(site).arg("--data").arg(data).current_dir(Repo::find()?.root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (send, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().context("output is piped")?),
            Box::new(child.stderr.take().context("errors are piped")?),
        ];
        for output in outputs {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        let mut dev = Dev { child, lines, url: String::new() };
        let ready = dev.line_with("ready ")?;
        dev.url = ready.trim_start_matches("ready ").to_string();
        Ok(dev)
    }

    /// The next line that holds `words`.
    fn line_with(&self, words: &str) -> Result<String> {
        let (deadline, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(words) => return Ok(line),
                Ok(line) => seen.push(line),
                Err(_) => break,
            }
        }
        bail!("no line with `{words}` came, but:\n{}", seen.join("\n"))
    }

    fn publish_number(&self) -> Result<u64> {
        let config = Client::new(self.url.clone()).get("/s/shop/config", &[])?.json()?;
        config.get("publish").and_then(serde_json::Value::as_u64).context("the config has no publish number")
    }

    /// Sends the signal and waits until the command is gone, and its worker with it.
    fn end(mut self, signal: &str) -> Result<()> {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status()?;
        self.child.wait()?;
        let (deadline, client) = (Instant::now() + Duration::from_secs(5), Client::new(self.url.clone()));
        while client.get("/health", &[]).is_ok() {
            anyhow::ensure!(Instant::now() < deadline, "the worker outlived the command");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn saved_files_are_published_broken_ones_are_told_and_state_survives_a_kill() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (site, data) = (folder.path().join("site"), folder.path().join("data"));
    copy_tree(&Repo::find()?.path("examples/shop"), &site)?;
    let rules = site.join("rules.yaml");
    let good = fs::read_to_string(&rules)?;

    let dev = Dev::start(&site, &data)?;
    assert_eq!(dev.publish_number()?, 1);

    fs::write(&rules, format!("{good}\nnonsense: true\n"))?;
    let diagnostic = dev.line_with("nonsense")?;
    dev.line_with("not published")?;
    assert_eq!(dev.publish_number()?, 1, "the old program stays: {diagnostic}");

    let priority = good.find("priority:").context("a rule of the shop has a priority")?;
    fs::write(&rules, format!("{}priority: 7 # was: {}", &good[..priority], &good[priority..]))?;
    dev.line_with("published #")?;
    assert_eq!(dev.publish_number()?, 2);
    dev.end("-KILL")?;

    let again = Dev::start(&site, &data)?;
    assert!(again.publish_number()? >= 2, "what was published before the kill is still there");
    again.end("-TERM")
}
