//! What rules tell destinations, from the tables.

use super::{Decoded, Reading, kind, size, tag};
use crate::limits::EMIT_FIELDS_MAX;
use crate::wire::codec::WireFault;
use crate::wire::program::{Emit, EmitRow, OncePer, ProgramFault};
use alloc::string::String;
use alloc::vec::Vec;

/// What the rule at a place tells a destination.
pub(super) fn emit(from: &Reading, rule: u16) -> Decoded<Option<Emit>> {
    let Some(row) = from.image.emit(rule) else { return Ok(None) };
    Ok(Some(Emit {
        to: from.text(row.to())?,
        enter: from.text(row.enter())?,
        exit_when: row.has_exit().then(|| row.exit_when()),
        fields: fields(from, row)?,
        once_per: match row.once() {
            0 => None,
            kind::ONCE_PER_SESSION => Some(OncePer::Session),
            kind::ONCE_PER_TIME => Some(OncePer::Time(row.once_ms())),
            kind::ONCE_PER_VISITOR => Some(OncePer::Visitor),
            _ => return Err(WireFault::Malformed.into()),
        },
    }))
}

fn fields(from: &Reading, row: EmitRow) -> Decoded<Vec<(String, u16)>> {
    let end = usize::from(row.fields()).saturating_add(row.fields_count().into());
    if usize::from(row.fields_count()) > EMIT_FIELDS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    if row.fields_count() > 0 && end > usize::from(from.image.count(tag::EMIT_FIELDS, size::NARROW)) {
        return Err(ProgramFault::Index);
    }
    from.image.emit_fields(row).map(|field| Ok((from.text(field.name())?, field.fact()))).collect()
}
