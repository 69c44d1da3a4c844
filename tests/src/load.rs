//! A load generator: requests made beforehand, sent over a few connections that are kept, one after the other on each.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xtask::workerd::Workerd;

/// What one connection sends, each body once.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The method and path, such as `POST /v1/collect`.
    pub route: String,
    /// The bodies, in order.
    pub bodies: Vec<Vec<u8>>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Load {
    /// Requests that were answered with 200.
    pub requests: u64,
    /// From the first byte to the last answer.
    pub elapsed: Duration,
    /// The time that the worker's process spent on a processor.
    pub processor: Duration,
    /// How long each request took, sorted.
    pub latencies: Vec<Duration>,
}

impl Load {
    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds of processor time a request, of the worker alone.
    pub fn processor_us(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.requests as f64
    }

    /// The latency that `share` (0.99) of the requests do not pass, in milliseconds.
    pub fn latency_ms(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        self.latencies
            .get(place.min(self.latencies.len().saturating_sub(1)))
            .map_or(0.0, Duration::as_secs_f64)
            * 1e3
    }
}

/// Sends everything in `lanes` to `workerd`.
///
/// # Errors
/// When a request is not answered with 200; with the answer.
pub fn drive(workerd: &Workerd, lanes: &[Lane]) -> Result<Load> {
    let (processor, start) = (workerd.processor_time()?, Instant::now());
    let results: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = lanes.iter().map(|lane| scope.spawn(|| send(workerd.port(), lane))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a lane does not panic")).collect()
    });
    let elapsed = start.elapsed();
    let processor = workerd.processor_time()?.saturating_sub(processor);
    let mut latencies = results.into_iter().collect::<Result<Vec<_>>>()?.concat();
    latencies.sort();
    Ok(Load { requests: latencies.len() as u64, elapsed, processor, latencies })
}

fn send(port: u16, lane: &Lane) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut latencies = Vec::with_capacity(lane.bodies.len());
    for body in &lane.bodies {
        let start = Instant::now();
        (&stream).write_all(&request(&lane.route, body))?;
        let (status, answer) = read(&mut reader)?;
        if status != 200 {
            bail!("{}: {status} {}", lane.route, String::from_utf8_lossy(&answer));
        }
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}

fn request(route: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{route} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// The status and the body of one answer, whose length is told or which comes in chunks.
fn read(reader: &mut impl BufRead) -> Result<(u16, Vec<u8>)> {
    let status =
        line(reader)?.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(reader)?.to_ascii_lowercase();
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse()?,
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
            None => break,
        }
    }
    let body = if chunked { chunks(reader)? } else { exactly(reader, length)? };
    Ok((status, body))
}

fn chunks(reader: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16)?;
        body.extend(exactly(reader, length)?);
        line(reader)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn exactly(reader: &mut impl BufRead, length: usize) -> Result<Vec<u8>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    anyhow::ensure!(reader.read_line(&mut line)? > 0, "the connection was closed");
    Ok(line.trim_end().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_and_one_after_the_other() -> Result<()> {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let mut reader = text.as_bytes();
        assert_eq!(read(&mut reader)?, (200, b"ok".to_vec()));
        assert_eq!(read(&mut reader)?, (503, b"abcd".to_vec()));
        assert!(read(&mut reader).is_err());
        Ok(())
    }
}
