//! The columns of a line of the log: typed for what every line has and for the properties of a tracking plan, JSON for what
//! is nested. What is nested stays text for text as it was sent.

use jiff::Timestamp;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result as Parquet;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};
use selvedge_core::tracking_plan::{Plan, PropertyType};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a column of the tracking plan's properties begins with.
pub const PROPERTY: &str = "property_";

/// The parts of a line, by name, as text.
pub type Line<'a> = BTreeMap<&'a str, &'a RawValue>;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Anything, as its JSON text.
    Json,
    /// Yes or no.
    Bool,
    /// A whole number of 64 bits.
    Whole,
    /// A number.
    Number,
    /// Milliseconds since 1970, in UTC.
    Time,
}

/// What every line of the log may have. Of `time` and `received_at` the line's milliseconds are taken.
const ENVELOPE: [(&str, &str, Kind); 29] = [
    ("id", "id", Kind::Text),
    ("cursor", "cursor", Kind::Text),
    ("kind", "kind", Kind::Text),
    ("site", "site", Kind::Text),
    ("visitor", "visitor", Kind::Text),
    ("anonymous_id", "anonymous_id", Kind::Text),
    ("message_id", "message_id", Kind::Text),
    ("writer", "writer", Kind::Text),
    ("sequence", "sequence", Kind::Whole),
    ("type", "type", Kind::Text),
    ("name", "name", Kind::Text),
    ("time", "time_ms", Kind::Time),
    ("received_at", "received_at_ms", Kind::Time),
    ("source", "source", Kind::Text),
    ("trust", "trust", Kind::Text),
    ("clock", "clock", Kind::Text),
    ("late", "late", Kind::Bool),
    ("clock_off", "clock_off", Kind::Bool),
    ("valid", "valid", Kind::Bool),
    ("program", "program", Kind::Text),
    ("publish", "publish", Kind::Whole),
    ("purposes", "purposes", Kind::Json),
    ("consent", "consent", Kind::Json),
    ("context", "context", Kind::Json),
    ("decisions", "decisions", Kind::Json),
    ("emit", "emit", Kind::Json),
    ("shard", "shard", Kind::Whole),
    ("missing_rows", "missing_rows", Kind::Whole),
    ("properties", "properties", Kind::Json),
];

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    Field(&'static str),
    Property(String),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    from: From,
}

/// The columns of a log whose events keep to `plan`. A property that has two types in it is JSON.
#[must_use]
pub fn columns(plan: Option<&Plan>) -> Vec<Column> {
    let of_envelope = |(name, field, kind): &(&str, &'static str, Kind)| Column {
        name: (*name).to_owned(),
        kind: *kind,
        from: From::Field(field),
    };
    let mut properties: BTreeMap<&str, Kind> = BTreeMap::new();
    for property in plan.iter().flat_map(|plan| &plan.events).flat_map(|event| &event.properties) {
        let kind = kind_of(property.property_type);
        properties.entry(&property.name).and_modify(|known| *known = common(*known, kind)).or_insert(kind);
    }
    let of_property = |(name, kind): (&str, Kind)| Column {
        name: format!("{PROPERTY}{name}"),
        kind,
        from: From::Property(name.to_owned()),
    };
    ENVELOPE.iter().map(of_envelope).chain(properties.into_iter().map(of_property)).collect()
}

const fn kind_of(property_type: PropertyType) -> Kind {
    match property_type {
        PropertyType::Text => Kind::Text,
        PropertyType::Number | PropertyType::Money => Kind::Number,
        PropertyType::Integer => Kind::Whole,
        PropertyType::Bool => Kind::Bool,
        PropertyType::Time => Kind::Time,
        PropertyType::List | PropertyType::Object => Kind::Json,
    }
}

fn common(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        (one, other) if one == other => one,
        (Kind::Whole, Kind::Number) | (Kind::Number, Kind::Whole) => Kind::Number,
        _ => Kind::Json,
    }
}

/// The schema of a file with these columns.
///
/// # Errors
/// Where two columns have one name.
pub fn schema(columns: &[Column]) -> Parquet<TypePtr> {
    let field = |column: &Column| -> Parquet<TypePtr> {
        let (physical, logical) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Whole => (Physical::INT64, None),
            Kind::Number => (Physical::DOUBLE, None),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        };
        let builder = Type::primitive_type_builder(&column.name, physical);
        let field = builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()?;
        Ok(Arc::new(field))
    };
    let fields = columns.iter().map(field).collect::<Parquet<Vec<_>>>()?;
    Ok(Arc::new(Type::group_type_builder("log").with_fields(fields).build()?))
}

/// Values of one column, with the rows that have none.
#[derive(Debug)]
pub struct Cells {
    kind: Kind,
    present: Vec<i16>,
    texts: Vec<ByteArray>,
    flags: Vec<bool>,
    wholes: Vec<i64>,
    numbers: Vec<f64>,
}

impl Cells {
    /// No values yet.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            present: Vec::new(),
            texts: Vec::new(),
            flags: Vec::new(),
            wholes: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Adds the value of a line; gives how many bytes it takes. What is not of the column's kind is left out: it stands in
    /// `properties` as it was sent.
    pub fn push(&mut self, column: &Column, line: &Line<'_>, properties: &Line<'_>) -> usize {
        let raw = match &column.from {
            From::Field(name) => line.get(name),
            From::Property(name) => properties.get(name.as_str()),
        };
        let raw = raw.map(|raw| raw.get()).filter(|raw| *raw != "null");
        let bytes = raw.and_then(|raw| self.take(raw));
        self.present.push(bytes.is_some().into());
        bytes.unwrap_or(0)
    }

    fn take(&mut self, raw: &str) -> Option<usize> {
        match self.kind {
            Kind::Json => self.texts.push(raw.into()),
            Kind::Text => self.texts.push(serde_json::from_str::<String>(raw).ok()?.into_bytes().into()),
            Kind::Bool => self.flags.push(serde_json::from_str(raw).ok()?),
            Kind::Whole => self.wholes.push(serde_json::from_str(raw).ok()?),
            Kind::Number => self.numbers.push(serde_json::from_str(raw).ok()?),
            Kind::Time => self.wholes.push(time_ms(raw)?),
        }
        Some(raw.len())
    }

    /// Writes the values, and forgets them.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Parquet<()> {
        let present = std::mem::take(&mut self.present);
        let levels = Some(present.as_slice());
        match self.kind {
            Kind::Text | Kind::Json => {
                let texts = std::mem::take(&mut self.texts);
                writer.typed::<ByteArrayType>().write_batch(&texts, levels, None)?
            }
            Kind::Bool => {
                let flags = std::mem::take(&mut self.flags);
                writer.typed::<BoolType>().write_batch(&flags, levels, None)?
            }
            Kind::Whole | Kind::Time => {
                let wholes = std::mem::take(&mut self.wholes);
                writer.typed::<Int64Type>().write_batch(&wholes, levels, None)?
            }
            Kind::Number => {
                let numbers = std::mem::take(&mut self.numbers);
                writer.typed::<DoubleType>().write_batch(&numbers, levels, None)?
            }
        };
        Ok(())
    }
}

/// A time: milliseconds, or RFC 3339.
fn time_ms(raw: &str) -> Option<i64> {
    match serde_json::from_str(raw).ok()? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse::<Timestamp>().ok().map(|time| time.as_millisecond()),
        _ => None,
    }
}
