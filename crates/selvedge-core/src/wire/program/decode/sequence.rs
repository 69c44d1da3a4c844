//! Sequences, from their tables.

use super::{Decoded, Reading, optional, size, tag, word};
use crate::limits::SEQUENCE_STEPS_MAX;
use crate::wire::program::{ProgramFault, Sequence, SequenceKind, SequenceStep};

pub(super) fn sequence(from: &Reading, at: u16) -> Decoded<Sequence> {
    let row = from.image.sequence(at);
    let asks = word(row.asks(), &[SequenceKind::Then, SequenceKind::ThenNo, SequenceKind::Absence])?;
    if usize::from(row.steps()) > SEQUENCE_STEPS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let mut next = (0..).map(|at| step(from, row.first().saturating_add(at)));
    let mut take = |is_there: bool| if is_there { next.next().transpose() } else { Ok(None) };
    let mut steps = alloc::vec::Vec::new();
    for _ in 0..row.steps() {
        steps.extend(take(true)?);
    }
    Ok(Sequence {
        name: from.text(row.name())?,
        meaning: row.meaning(),
        asks,
        steps,
        then_no: take(asks == SequenceKind::ThenNo)?,
        without: take(row.has_without())?,
        window_ms: row.window_ms(),
        purpose: row.purpose(),
        private: row.is_private(),
    })
}

fn step(from: &Reading, at: u16) -> Decoded<SequenceStep> {
    if at >= from.image.count(tag::SEQUENCE_STEPS, size::NARROW) {
        return Err(ProgramFault::Index);
    }
    let row = from.image.sequence_step(at);
    Ok(SequenceStep { event: from.text(row.event())?, filter: optional(row.filter()) })
}
