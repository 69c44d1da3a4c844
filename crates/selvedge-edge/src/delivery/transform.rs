//! What a destination leaves out of its records and calls by other names.

use alloc::format;
use alloc::string::String;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::Destination;

/// The one reason that all refused transforms are counted and quarantined under.
pub const REASON: &str = "transform";

/// Why a record cannot be made as a destination wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The path that was to be renamed.
    pub path: String,
    /// Why not.
    pub message: String,
}

/// The record without what the destination removes, and with its names.
///
/// # Errors
/// [`Refusal`] where a new name stands in the record already: one of the two would be lost.
pub(super) fn transform(destination: &Destination, mut record: Map) -> Result<Map, Refusal> {
    for path in &destination.remove {
        record = removed(record, path);
    }
    for (path, name) in &destination.rename {
        record = renamed(record, path, name).map_err(|message| Refusal { path: path.clone(), message })?;
    }
    Ok(record)
}

/// The map without what stands at the path; `*` at its end is all that an object holds.
fn removed(map: Map, path: &str) -> Map {
    let is_whole = |name: &str| name == path || path == "*";
    let kept = map.into_iter().filter(|(name, _)| !is_whole(name));
    kept.map(|(name, value)| match (inside(path, &name), value) {
        (Some(rest), Value::Object(inner)) => (name, Value::Object(removed(inner, rest))),
        (_, value) => (name, value),
    })
    .collect()
}

/// The map with what stands at the path under another name, in its place.
fn renamed(map: Map, path: &str, to: &str) -> Result<Map, String> {
    if map.get(path).is_some() && map.get(to).is_some() {
        return Err(format!("`{to}` stands beside `{path}` already"));
    }
    let mut out = Map::new();
    for (name, value) in map {
        match (inside(path, &name), value) {
            (_, value) if name == path => out.set(to, value),
            (Some(rest), Value::Object(inner)) => out.set(name, Value::Object(renamed(inner, rest, to)?)),
            (_, value) => out.set(name, value),
        }
    }
    Ok(out)
}

/// What is left of the path inside the object of this name.
fn inside<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.strip_prefix(name)?.strip_prefix('.')
}
