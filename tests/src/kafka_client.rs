//! The pure producer of `selvedge-kafka` over real sockets: what the worker does, natively.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use selvedge_kafka::{Address, Burst, Outcome, Producer, Record, Settings, Step, Verdict};

const TIMEOUT: Duration = Duration::from_secs(10);

trait Link: Read + Write {}
impl<T: Read + Write> Link for T {}

/// A producer as a shell drives it: the state that it commits, and the links of the burst under way.
pub struct KafkaClient {
    settings: Settings,
    tls: Option<Arc<ClientConfig>>,
    committed: Vec<u8>,
    burst: Option<Burst>,
    links: BTreeMap<usize, Box<dyn Link>>,
    /// How many records may have arrived twice.
    pub possible_duplicates: u64,
}

/// A configuration that trusts one authority.
///
/// # Errors
/// When its certificate cannot be read.
pub fn trusting(authority: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Settings for a topic behind these addresses, separated by commas.
pub fn settings(bootstrap: &str, topic: &str) -> Settings {
    let brokers = bootstrap.split(',').filter_map(Address::parse).collect();
    Settings { brokers, topic: topic.into(), sasl: None, gzip: false }
}

impl KafkaClient {
    /// A producer that has not spoken yet.
    pub fn new(settings: Settings, tls: Option<Arc<ClientConfig>>) -> KafkaClient {
        let links = BTreeMap::new();
        KafkaClient { settings, tls, committed: Vec::new(), burst: None, links, possible_duplicates: 0 }
    }

    /// Other settings from the next burst on; links are closed.
    pub fn configure(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.crash();
    }

    /// Everything is gone that was not committed.
    pub fn crash(&mut self) {
        self.burst = None;
        self.links.clear();
    }

    /// The first half of a delivery.
    ///
    /// # Errors
    /// When the committed state cannot be read.
    pub fn prepare(&mut self, records: &[Record]) -> Result<Verdict> {
        self.run(|burst| burst.prepare(records.to_vec()))
    }

    /// The second half.
    ///
    /// # Errors
    /// When the committed state cannot be read.
    pub fn send(&mut self, records: &[Record]) -> Result<Verdict> {
        self.run(|burst| burst.send(records.to_vec()))
    }

    /// Sends until all is delivered, as the shard's machine would; gives back what was in the way.
    ///
    /// # Errors
    /// When it pauses, meets poison, or does not come to an end.
    pub fn deliver(&mut self, records: &[Record]) -> Result<Vec<String>> {
        let mut met = Vec::new();
        let mut is_prepared = false;
        for _ in 0..100 {
            let verdict = if is_prepared { self.send(records)? } else { self.prepare(records)? };
            match verdict {
                Verdict::Delivered => return Ok(met),
                Verdict::Left => is_prepared = true,
                Verdict::Again { why } => {
                    met.push(why);
                    std::thread::sleep(Duration::from_millis(50));
                }
                Verdict::Renew { why } => {
                    met.push(why);
                    is_prepared = false;
                }
                Verdict::Pause { why } => anyhow::bail!("paused: {why}"),
                Verdict::Poison { why, .. } => anyhow::bail!("poison: {why}"),
            }
        }
        anyhow::bail!("not delivered: {met:?}")
    }

    fn run(&mut self, wish: impl FnOnce(&mut Burst)) -> Result<Verdict> {
        let producer = Producer::decode(&self.committed)?;
        let settings = &self.settings;
        // A nonce must be random where it guards a login; a test's login guards nothing.
        let nonce = || std::process::id().to_le_bytes().repeat(5).first_chunk().copied().unwrap_or_default();
        let mut burst =
            self.burst.take().unwrap_or_else(|| Burst::new(settings.clone(), Producer::default(), nonce()));
        burst.resume(producer);
        wish(&mut burst);
        let outcome = self.carry(&mut burst);
        self.possible_duplicates += burst.take_duplicates();
        self.committed = burst.producer().encode();
        self.burst = Some(burst);
        Ok(outcome.verdict)
    }

    fn carry(&mut self, burst: &mut Burst) -> Outcome {
        let mut buffer = vec![0; 65_536];
        loop {
            match burst.step() {
                Step::Over(outcome) => return outcome,
                Step::Open { link, address } => match self.open(&address) {
                    Ok(open) => {
                        self.links.insert(link, open);
                        burst.opened(link);
                    }
                    Err(problem) => burst.failed(link, &format!("{problem:#}")),
                },
                Step::Write { link, bytes } => {
                    if let Err(problem) = self.write(link, &bytes) {
                        burst.failed(link, &format!("{problem:#}"));
                    }
                }
                Step::Read { link } => match self.read(link, &mut buffer) {
                    Ok(0) => burst.failed(link, "the broker closed the connection"),
                    Ok(count) => burst.received(link, buffer.get(..count).unwrap_or_default()),
                    Err(problem) => burst.failed(link, &format!("{problem:#}")),
                },
            }
        }
    }

    fn open(&self, address: &Address) -> Result<Box<dyn Link>> {
        let socket = TcpStream::connect((address.host.as_str(), address.port))?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.set_write_timeout(Some(TIMEOUT))?;
        socket.set_nodelay(true)?;
        let Some(config) = &self.tls else { return Ok(Box::new(socket)) };
        let name = ServerName::try_from(address.host.clone())?;
        let mut stream = StreamOwned::new(ClientConnection::new(config.clone(), name)?, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Box::new(stream))
    }

    fn write(&mut self, link: usize, bytes: &[u8]) -> Result<()> {
        let open = self.links.get_mut(&link).context("no such link")?;
        open.write_all(bytes)?;
        Ok(open.flush()?)
    }

    fn read(&mut self, link: usize, buffer: &mut [u8]) -> Result<usize> {
        Ok(self.links.get_mut(&link).context("no such link")?.read(buffer)?)
    }
}
