//! The merge of a site's shards into one stream of lines. Within a shard the order is the shard's; between shards, that of
//! receipt. A live stream never ends: it looks again every fifth of a second, and sends an empty line when it is quiet.

use super::shards;
use crate::clock::now_ms;
use crate::packed::pack;
use crate::reply::Problem;
use crate::shard::{Frame, Frames, Meant};
use futures_util::Stream;
use futures_util::stream::unfold;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::log_row::{LogRow, StoredRow};
use selvedge_edge::cursor::{Cursor, Position, Start};
use selvedge_edge::ingest::quarantine::listed;
use selvedge_edge::log_line;
use selvedge_edge::quarantine::Name;
use selvedge_edge::topology::Place;
use std::collections::VecDeque;
use std::time::Duration;
use worker::{Delay, Env};

/// How often a live stream looks for new rows.
const POLL: Duration = Duration::from_millis(200);
/// How long a live stream is quiet before it sends an empty line.
const HEARTBEAT_MS: u64 = 15_000;
/// Bytes of one piece of the stream.
const PIECE_BYTES: usize = 64 * 1024;

/// A row behind every other.
const NO_ROW: u64 = (1 << 53) - 1;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The log.
    Log,
    /// The quarantine: what is meant of it.
    Quarantine(Box<Meant>),
}

/// A row, read.
enum Row {
    Log(Box<LogRow>, Frame),
    Quarantine(Frame),
}

struct Lane {
    place: Place,
    rows: VecDeque<(u64, Row)>,
    /// Rows up to this one are read; the newest there was when a stream that is not live began.
    until: Option<u64>,
    /// Up to where rows were fetched.
    fetched: u64,
    is_done: bool,
    /// Whether what comes next must follow upon what was read: the reader had a cursor, or has had a page.
    is_begun: bool,
    /// Rows that were removed before they were read.
    missing: u64,
}

/// What of a log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Received then or later: Unix milliseconds.
    pub since_ms: u64,
    /// Received before then.
    pub until_ms: u64,
    /// Of this visitor alone.
    pub visitor: Option<VisitorId>,
    /// At most so many lines.
    pub limit: u64,
    /// It goes on with what comes.
    pub is_live: bool,
}

/// Reads a site's log or quarantine.
pub struct Reader {
    env: Env,
    site: String,
    source: Source,
    cursor: Cursor,
    /// The newest rows to begin with, as long as it was not looked for them.
    tail: Option<u64>,
    lanes: Vec<Lane>,
    asked: Asked,
    left: u64,
    last_sent_ms: u64,
}

impl Reader {
    /// A reader from `start` on.
    pub fn new(
        env: Env,
        site: String,
        places: Vec<Place>,
        source: Source,
        start: Start,
        asked: Asked,
    ) -> Self {
        let is_begun =
            source == Source::Log && matches!(&start, Start::After(from) if *from != Cursor::default());
        let (cursor, tail) = match start {
            Start::After(cursor) => (cursor, None),
            Start::Tail(rows) => (Cursor::default(), Some(rows)),
        };
        let lane = |(shard, place)| Lane {
            place,
            rows: VecDeque::new(),
            until: None,
            fetched: cursor.position(shard).row,
            is_done: false,
            is_begun,
            missing: 0,
        };
        let lanes = (0u32..).zip(places).map(lane).collect();
        Self { env, site, source, cursor, tail, lanes, asked, left: asked.limit, last_sent_ms: now_ms() }
    }

    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        if let Some(rows) = self.tail.take() {
            self.seek(rows).await?;
        }
        loop {
            let mut piece = String::new();
            while piece.len() < PIECE_BYTES && self.left > 0 {
                self.fill().await?;
                self.tell_gaps(&mut piece);
                let Some((shard, row)) = self.pop() else { break };
                self.lines(shard, &row, &mut piece);
            }
            if !piece.is_empty() {
                self.last_sent_ms = now_ms();
                return Ok(Some(piece.into_bytes()));
            }
            if !self.asked.is_live || self.left == 0 {
                return Ok(None);
            }
            if now_ms().saturating_sub(self.last_sent_ms) >= HEARTBEAT_MS {
                self.last_sent_ms = now_ms();
                return Ok(Some(b"\n".to_vec()));
            }
            Delay::from(POLL).await;
            self.lanes.iter_mut().for_each(|lane| lane.is_done = false);
        }
    }

    /// Moves every lane to `rows` before its end.
    async fn seek(&mut self, rows: u64) -> Result<(), Problem> {
        for (shard, lane) in (0u32..).zip(&mut self.lanes) {
            let newest = page(&self.env, &self.site, lane.place, &self.source, NO_ROW).await?.newest;
            lane.fetched = newest.saturating_sub(rows);
            self.cursor.set(shard, Position { row: lane.fetched, events: 0 });
        }
        Ok(())
    }

    /// Fetches a page for every lane that has nothing left and may have more.
    async fn fill(&mut self) -> Result<(), Problem> {
        for lane in &mut self.lanes {
            if !lane.rows.is_empty() || lane.is_done {
                continue;
            }
            let page = page(&self.env, &self.site, lane.place, &self.source, lane.fetched).await?;
            let until = *lane.until.get_or_insert(page.newest);
            lane.take(page, &self.source, if self.asked.is_live { u64::MAX } else { until });
        }
        Ok(())
    }

    /// Says where rows are gone that the reader has not had. Whoever goes on from an old cursor is not to take what is left
    /// for all there was.
    fn tell_gaps(&mut self, piece: &mut String) {
        for (shard, lane) in (0u32..).zip(&mut self.lanes) {
            let missing = std::mem::take(&mut lane.missing);
            if missing > 0 {
                let at = self.cursor.position(shard).row.saturating_add(missing);
                self.cursor.set(shard, Position { row: at, events: 0 });
                piece.push_str(&log_line::gap(
                    &self.site,
                    shard,
                    (missing, now_ms()),
                    &self.cursor.to_string(),
                ));
            }
        }
    }

    /// The oldest row by receipt of all lanes.
    fn pop(&mut self) -> Option<(u32, Row)> {
        let fronts = (0u32..).zip(&self.lanes);
        let oldest =
            fronts.filter_map(|(shard, lane)| lane.rows.front().map(|(time_ms, _)| (*time_ms, shard)));
        let (_, shard) = oldest.min()?;
        let lane = self.lanes.get_mut(usize::try_from(shard).ok()?)?;
        lane.rows.pop_front().map(|(_, row)| (shard, row))
    }

    /// Writes a row's lines behind the cursor; a reader that stops at any of them goes on with the next.
    fn lines(&mut self, shard: u32, row: &Row, piece: &mut String) {
        match row {
            Row::Quarantine(frame) => {
                self.cursor.set(shard, Position { row: frame.row, events: 0 });
                let (cursor, name) = (self.cursor.to_string(), Name { shard, row: frame.row }.to_string());
                piece.push_str(&listed(&cursor, &name, &String::from_utf8_lossy(&frame.body)));
                self.left = self.left.saturating_sub(1);
            }
            Row::Log(log, frame) => self.log_lines(shard, log, frame, piece),
        }
    }

    fn log_lines(&mut self, shard: u32, log: &LogRow, frame: &Frame, piece: &mut String) {
        let is_asked = (self.asked.since_ms..self.asked.until_ms).contains(&log.received_ms)
            && self.asked.visitor.is_none_or(|visitor| visitor == log.visitor);
        let at = self.cursor.position(shard);
        let read = usize::try_from(at.events).unwrap_or(0);
        let count = log_line::count(log);
        for index in read..count {
            let after = index.saturating_add(1);
            let events = u32::try_from(after).unwrap_or(u32::MAX);
            let position = if after == count {
                Position { row: frame.row, events: 0 }
            } else {
                Position { events, ..at }
            };
            self.cursor.set(shard, position);
            let cursor = self.cursor.to_string();
            // Of whom nothing is kept nothing is read out, but that they were erased.
            let now = frame.consent.unwrap_or_default();
            let line = log_line::render_at(log, index, &now, &cursor);
            if let Some(line) = line.filter(|_| is_asked && self.left > 0) {
                piece.push_str(&line);
                self.left = self.left.saturating_sub(1);
            }
        }
    }
}

/// The rows of a shard behind one of them.
async fn page(env: &Env, site: &str, place: Place, source: &Source, after: u64) -> Result<Frames, Problem> {
    let bytes = match source {
        Source::Log => shards::ask(env, site, place, &format!("/log/{after}")).await?,
        Source::Quarantine(meant) => {
            let meant = Meant { after, ..Meant::clone(meant) };
            shards::order(env, site, place, "/quarantine/list", &pack(&meant, &[])?).await?
        }
    };
    Ok(Frames::decode(&bytes).map_err(|fault| worker::Error::RustError(fault.to_string()))?)
}

impl Lane {
    fn take(&mut self, page: Frames, source: &Source, until: u64) {
        self.is_done = page.frames.is_empty();
        if *source == Source::Log {
            let read_to = page.oldest.saturating_sub(1).min(until);
            self.missing = if self.is_begun { read_to.saturating_sub(self.fetched) } else { 0 };
            self.fetched = self.fetched.max(read_to);
            self.is_begun = true;
        }
        for frame in page.frames {
            if frame.row > until {
                self.is_done = true;
                return;
            }
            self.fetched = frame.row;
            let row = match source {
                Source::Quarantine(_) => Some((0, Row::Quarantine(frame))),
                Source::Log => match StoredRow::decode(&frame.body) {
                    Ok(StoredRow::Whole(log)) => Some((log.received_ms, Row::Log(log, frame))),
                    Ok(StoredRow::Blank(_)) => None,
                    Err(fault) => {
                        worker::console_error!("row {} of the log cannot be read: {fault}", frame.row);
                        None
                    }
                },
            };
            self.rows.extend(row);
        }
    }
}

/// The reader as a stream of pieces.
pub fn stream(reader: Reader) -> impl Stream<Item = worker::Result<Vec<u8>>> {
    unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(reader))),
            Ok(None) => None,
            Err(Problem::Platform(error)) => Some((Err(error), None)),
            Err(Problem::Fault(fault)) => Some((Err(worker::Error::RustError(fault.to_string())), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(fetched: u64, is_begun: bool) -> Lane {
        let place = selvedge_edge::topology::Topology::single(1).places().next().expect("a shard");
        Lane { place, rows: VecDeque::new(), until: None, fetched, is_done: false, is_begun, missing: 0 }
    }

    fn page(oldest: u64, newest: u64) -> Frames {
        Frames { frames: Vec::new(), newest, oldest }
    }

    #[test]
    fn a_cursor_older_than_what_is_kept_misses_what_was_removed() {
        let mut behind = lane(12, true);
        behind.take(page(40, 50), &Source::Log, u64::MAX);
        assert_eq!((behind.missing, behind.fetched), (27, 39));
        behind.take(page(40, 50), &Source::Log, u64::MAX);
        assert_eq!(behind.missing, 0, "told once");
        let mut kept = lane(39, true);
        kept.take(page(40, 50), &Source::Log, u64::MAX);
        assert_eq!(kept.missing, 0);
    }

    #[test]
    fn who_begins_with_what_there_is_misses_nothing() {
        let mut first = lane(0, false);
        first.take(page(40, 50), &Source::Log, u64::MAX);
        assert_eq!(first.missing, 0);
        first.fetched = 41;
        first.take(page(60, 70), &Source::Log, u64::MAX);
        assert_eq!(first.missing, 18, "but who reads too slowly does");
    }
}
