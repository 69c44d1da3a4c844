//! Rows to events: who the visitor is, who the writer, which sequence, what the event says.
//!
//! Everything is derived from the map and the rows alone, so the same file gives the same event ids every time.

use super::derivation::Derivation;
use super::map::{Map, TimeColumn};
use super::rows::{Cells, Row};
use super::time::TimeFormat;
use selvedge_core::event::Event;
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::value;
use selvedge_edge::foreign::{digest, visitor_of};
use std::collections::BTreeMap;

/// An event of a recorded log, with whose it is and who counts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Whose event it is.
    pub visitor: VisitorId,
    /// Who counts it.
    pub writer: WriterId,
    /// The event.
    pub event: Event,
}

/// A row that gives no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The line it stands on.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// The reader of a recorded log's meaning.
pub struct Recording<'a> {
    map: &'a Map,
    time: TimeFormat,
    visitors: BTreeMap<String, Writing>,
}

/// Who writes for a visitor, and how far it has counted.
#[derive(Clone, Copy)]
struct Writing {
    visitor: VisitorId,
    writer: WriterId,
    count: u32,
}

impl<'a> Recording<'a> {
    /// A reader that has seen no row.
    #[must_use]
    pub const fn new(map: &'a Map, time: TimeFormat) -> Self {
        Self { map, time, visitors: BTreeMap::new() }
    }

    /// The visitors seen so far.
    #[must_use]
    pub fn visitors(&self) -> usize {
        self.visitors.len()
    }

    /// The event of `row`, counted by its visitor's writer.
    ///
    /// # Errors
    /// [`UnreadableRow`], which takes no place in the count.
    pub fn event(&mut self, row: &Row) -> Result<Recorded, UnreadableRow> {
        self.read(row).map_err(|problem| UnreadableRow { line: row.line, problem })
    }

    fn read(&mut self, row: &Row) -> Result<Recorded, String> {
        if let Cells::Unreadable(problem) = &row.cells {
            return Err(problem.clone());
        }
        let user = self.required(row, &self.map.user)?;
        let time_ms = self.time_ms(row)?;
        let recorded_name = self.required(row, &self.map.event.column)?;
        let (name, event_type) = self.map.event(&recorded_name);
        let properties = derive(self.map.properties_of(name), row)?;
        let context = self.map.context.iter().map(|(fact, derivation)| (fact.as_str(), derivation));
        let context = derive(context, row)?;
        let Writing { visitor, writer, count } = self.count(&user, time_ms);
        let sequence = Sequence::new(count).ok_or("the visitor's count is out of bounds")?;
        let name = name.to_owned();
        let event = Event { sequence, event_type, name, time_ms, consent: 0, properties, context };
        Ok(Recorded { visitor, writer, event })
    }

    fn required(&self, row: &Row, column: &str) -> Result<String, String> {
        row.text(column).map(|cell| cell.into_owned()).ok_or_else(|| format!("column `{column}` is empty"))
    }

    fn time_ms(&self, row: &Row) -> Result<u64, String> {
        let TimeColumn { column, format, .. } = &self.map.time;
        let cell = self.required(row, column)?;
        self.time
            .read(&cell)
            .ok_or_else(|| format!("column `{column}` holds {cell:?}, which is not {format}"))
    }

    /// Counts one more event of `user`. A writer that has used up its sequences is followed by another.
    fn count(&mut self, user: &str, time_ms: u64) -> Writing {
        let visitor = visitor_of(&self.map.site, user);
        let mint = |count| Writing { visitor, writer: writer_id(&self.map.dataset, visitor, time_ms), count };
        let writing = self.visitors.entry(user.to_owned()).or_insert_with(|| mint(0));
        if writing.count == Sequence::MAX {
            *writing = mint(0);
        }
        writing.count = writing.count.saturating_add(1);
        *writing
    }
}

fn derive<'a>(
    derivations: impl Iterator<Item = (&'a str, &'a Derivation)>,
    row: &Row,
) -> Result<value::Map, String> {
    let mut map = value::Map::new();
    for (name, derivation) in derivations {
        if let Some(value) = derivation.apply(row)? {
            map.set(name, value);
        }
    }
    Ok(map)
}

/// The writer of a data set for a visitor whose first row has this time.
#[must_use]
pub fn writer_id(dataset: &str, visitor: VisitorId, first_ms: u64) -> WriterId {
    let random = digest::<4>(&[dataset.as_bytes(), &visitor.0, &first_ms.to_be_bytes()]);
    WriterId::mint(first_ms, u32::from_be_bytes(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::rows::Rows;
    use selvedge_core::event::EventType;
    use std::io::Cursor;

    const MAP: &str = "\
dataset: small
site: shop
write_key: wk
user: user
time: {column: at, format: unix_s}
event: {column: event}
context:
  utm.medium:
    table: {column: channel, values: {paid_search: cpc}}
properties:
  - events: [product_view]
    set:
      category: {choose: [shoes, jackets]}
";

    const LOG: &str = "\
user,at,event,channel
ann,1710325274,home,direct
bo,1710325275,product_view,paid_search
ann,never,product_view,direct
ann,1710325276,product_view,direct
";

    fn replay(log: &str) -> Vec<Result<Recorded, UnreadableRow>> {
        let map = Map::parse(MAP).unwrap();
        let mut recording = Recording::new(&map, map.time_format().unwrap());
        let rows = Rows::open(Cursor::new(log.to_owned().into_bytes())).unwrap();
        rows.map(|row| recording.event(&row.unwrap())).collect()
    }

    #[test]
    fn each_visitor_has_one_writer_that_counts_its_rows_in_file_order() {
        let events: Vec<_> = replay(LOG).into_iter().filter_map(Result::ok).collect();
        let sequences: Vec<_> = events.iter().map(|recorded| recorded.event.sequence.get()).collect();
        assert_eq!(sequences, [1, 1, 2]);
        assert_eq!(events[0].writer, events[2].writer);
        assert_ne!(events[0].writer, events[1].writer);
        assert_eq!(events[0].visitor.topology(), 0);
        assert_eq!(events[0].event.event_type, EventType::Track);
    }

    #[test]
    fn the_row_number_alone_decides_what_is_derived() {
        let events: Vec<_> = replay(LOG).into_iter().filter_map(Result::ok).collect();
        assert_eq!(events[1].event.properties.text("category"), Some("jackets"));
        assert_eq!(events[2].event.properties.text("category"), Some("jackets"));
        assert!(events[0].event.properties.is_empty());
        assert_eq!(events[1].event.context.text("utm.medium"), Some("cpc"));
        assert!(events[0].event.context.is_empty());
    }

    #[test]
    fn a_second_reading_gives_the_same_ids() {
        assert_eq!(replay(LOG), replay(LOG));
    }

    #[test]
    fn an_unreadable_row_is_told_by_its_line_and_takes_no_sequence() {
        let unreadable = replay(LOG).into_iter().find_map(Result::err).unwrap();
        assert_eq!(unreadable.line, 4);
        assert_eq!(unreadable.problem, "column `at` holds \"never\", which is not unix_s");
    }
}
