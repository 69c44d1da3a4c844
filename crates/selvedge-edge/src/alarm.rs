//! The one alarm of a shard: what is remembered of it, so that a request that wants it no earlier writes nothing.

/// How long an alarm may be late before it counts as lost.
const LOST_MS: u64 = 60_000;

/// When the alarm is known to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alarm {
    /// Unix milliseconds; `None` where it is not known.
    set_ms: Option<u64>,
    /// It rings now: it is set again at the end.
    rings: bool,
}

/// What is to be done so that the alarm rings in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// It is set to this time: Unix milliseconds.
    Set(u64),
    /// The tables are asked for the earliest time that they know of; the alarm is set to that.
    Ask,
}

impl Alarm {
    /// An alarm of which nothing is known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { set_ms: None, rings: false }
    }

    /// Somebody wants it to ring at this time or before; without a time whenever there is something to do. One that should
    /// have rung long ago is lost.
    #[must_use]
    pub const fn by(&self, wanted_ms: Option<u64>, now_ms: u64) -> Wish {
        let Some(set_ms) = self.set_ms else { return Wish::Ask };
        match wanted_ms {
            _ if self.rings => Wish::Nothing,
            _ if set_ms.saturating_add(LOST_MS) < now_ms => Wish::Ask,
            Some(wanted_ms) if wanted_ms < set_ms => Wish::Set(wanted_ms),
            _ => Wish::Nothing,
        }
    }

    /// It was set to this time; `None` where there is nothing to wait for.
    pub const fn set(&mut self, time_ms: Option<u64>) {
        *self =
            Self { set_ms: Some(if let Some(time_ms) = time_ms { time_ms } else { u64::MAX }), rings: false };
    }

    /// It rings now: whoever wants it to ring again is served by the end of the ring.
    pub const fn rings(&mut self) {
        *self = Self { set_ms: Some(0), rings: true };
    }

    /// What was set may not have been kept.
    pub const fn forget(&mut self) {
        *self = Self::unknown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_set_where_somebody_wants_it_earlier_and_only_there() {
        let mut alarm = Alarm::unknown();
        assert_eq!(alarm.by(Some(9), 1), Wish::Ask);
        alarm.set(Some(10));
        assert_eq!(
            [Some(9), Some(10), Some(11), None].map(|wanted| alarm.by(wanted, 1)),
            [Wish::Set(9), Wish::Nothing, Wish::Nothing, Wish::Nothing]
        );
        alarm.set(None);
        assert_eq!((alarm.by(Some(9), 1), alarm.by(None, 1)), (Wish::Set(9), Wish::Nothing));
        alarm.forget();
        assert_eq!(alarm.by(None, 1), Wish::Ask);
    }

    #[test]
    fn one_that_is_long_late_is_lost_and_one_that_rings_is_not() {
        let mut alarm = Alarm::unknown();
        alarm.set(Some(10));
        assert_eq!(alarm.by(None, 10 + LOST_MS), Wish::Nothing);
        assert_eq!(alarm.by(None, 11 + LOST_MS), Wish::Ask);
        alarm.rings();
        assert_eq!((alarm.by(None, u64::MAX), alarm.by(Some(1), 5)), (Wish::Nothing, Wish::Nothing));
    }
}
