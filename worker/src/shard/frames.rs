//! What a shard hands to a worker: pages of rows, and figures.

use selvedge_core::consent::Snapshot;
use selvedge_core::limits::DESTINATIONS_MAX;
use selvedge_core::wire::batch::{read_snapshot, write_snapshot};
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_edge::delivery::report::Report;
use selvedge_edge::ledger::Ledger;
use selvedge_edge::metrics::Drift;

/// One row of the log or the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the shard.
    pub row: u64,
    /// The consent that its visitor has now, where anything is known of it.
    pub consent: Option<Snapshot>,
    /// The row.
    pub body: Vec<u8>,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frames {
    /// The rows, by number.
    pub frames: Vec<Frame>,
    /// The newest row's number.
    pub newest: u64,
    /// The oldest row's number; 0 where there is none.
    pub oldest: u64,
}

impl Frames {
    /// The page's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.varint(self.newest);
        out.varint(self.oldest);
        for frame in &self.frames {
            out.varint(frame.row);
            out.flag(frame.consent.is_some());
            if let Some(consent) = &frame.consent {
                write_snapshot(&mut out, consent);
            }
            out.bytes(&frame.body);
        }
        out.into_bytes()
    }

    /// The page of its bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut reader = Reader::new(bytes);
        let (newest, oldest) = (reader.varint_u64()?, reader.varint_u64()?);
        let mut page = Self { newest, oldest, frames: Vec::new() };
        while !reader.is_empty() {
            let row = reader.varint_u64()?;
            let consent = if reader.flag()? { Some(read_snapshot(&mut reader)?) } else { None };
            page.frames.push(Frame { row, consent, body: reader.bytes()?.to_vec() });
        }
        Ok(page)
    }
}

/// Bytes of rows after which a page is full, so that large rows do not fill the memory.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Collects the rows of a page.
#[derive(Debug, Default)]
pub struct Page {
    /// The rows so far.
    pub frames: Vec<Frame>,
    bytes: usize,
}

impl Page {
    /// Adds a row; whether the page is full with it. A page holds one row at least.
    pub fn push(&mut self, frame: Frame) -> bool {
        self.bytes = self.bytes.saturating_add(frame.body.len());
        self.frames.push(frame);
        self.bytes >= PAGE_BYTES
    }
}

/// Figures of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Its ledger.
    pub ledger: Ledger,
    /// Rows of its quarantine.
    pub quarantine_rows: u64,
    /// Visitors.
    pub visitors: u64,
    /// Bytes of its storage.
    pub storage_bytes: u64,
    /// Units of experiments, by what they are counted under.
    pub units: Vec<(String, u64)>,
    /// How its destinations stand.
    pub destinations: Vec<Report>,
    /// Quarantined events that the plan does not know all of.
    pub drift: Vec<Drift>,
}

impl Stats {
    /// The figures' bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.varint(self.quarantine_rows);
        out.varint(self.visitors);
        out.varint(self.storage_bytes);
        out.count(self.units.len());
        for (name, count) in &self.units {
            out.text(name);
            out.varint(*count);
        }
        out.count(self.drift.len());
        for drift in &self.drift {
            out.text(&drift.code);
            out.text(&drift.event);
            out.varint(drift.count);
        }
        out.count(self.destinations.len());
        self.destinations.iter().for_each(|report| report.write(&mut out));
        out.raw(&self.ledger.encode());
        out.into_bytes()
    }

    /// The figures of their bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireFault> {
        let mut reader = Reader::new(bytes);
        let (quarantine_rows, visitors) = (reader.varint_u64()?, reader.varint_u64()?);
        let storage_bytes = reader.varint_u64()?;
        let mut units = Vec::new();
        for _ in 0..reader.count()? {
            units.push((reader.text()?.to_owned(), reader.varint_u64()?));
        }
        let mut drift = Vec::new();
        for _ in 0..reader.count()? {
            let (code, event) = (reader.text()?.to_owned(), reader.text()?.to_owned());
            drift.push(Drift { code, event, count: reader.varint_u64()? });
        }
        Ok(Self {
            quarantine_rows,
            drift,
            visitors,
            storage_bytes,
            units,
            destinations: {
                let count = reader.count()?.min(DESTINATIONS_MAX.saturating_mul(2));
                (0..count).map(|_| Report::read(&mut reader)).collect::<Result<_, _>>()?
            },
            ledger: Ledger::decode(reader.rest())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_it_was_written() {
        let frame = |row, consent| Frame { row, consent, body: vec![1, 2, 3] };
        let frames = Frames {
            newest: 9,
            oldest: 7,
            frames: vec![frame(7, None), frame(9, Some(Snapshot::default()))],
        };
        assert_eq!(Frames::decode(&frames.encode()), Ok(frames));
        assert!(Frames::decode(&[]).is_err());
    }

    #[test]
    fn a_page_is_full_by_its_bytes() {
        let row = |bytes| Frame { row: 1, consent: None, body: vec![0; bytes] };
        let mut page = Page::default();
        assert!(!page.push(row(PAGE_BYTES - 1)));
        assert!(page.push(row(1)));
        assert!(Page::default().push(row(PAGE_BYTES * 2)), "a row that is larger than a page comes alone");
    }

    #[test]
    fn figures_read_as_they_were_written() {
        let units = vec![("cart/control/0".to_owned(), 2)];
        let mut stats = Stats { visitors: 3, units, ..Stats::default() };
        stats.ledger.add(selvedge_edge::ledger::Counter::Accepted, 4);
        assert_eq!(Stats::decode(&stats.encode()), Ok(stats));
    }
}
