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
    /// What it was set to last, whether that was kept or not; 0 where it rang since.
    last_ms: u64,
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
        Self { set_ms: None, rings: false, last_ms: 0 }
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

    /// When it rings, as far as it was ever set. Who asks the tables anew sets it no later: what waits from the moment of asking
    /// on (a look at what is stopped) would else wait for ever where it is asked again and again.
    #[must_use]
    pub const fn last(&self, now_ms: u64) -> Option<u64> {
        if self.last_ms > now_ms { Some(self.last_ms) } else { None }
    }

    /// It was set to this time; `None` where there is nothing to wait for.
    pub const fn set(&mut self, time_ms: Option<u64>) {
        *self = match time_ms {
            Some(time_ms) => Self { set_ms: Some(time_ms), rings: false, last_ms: time_ms },
            None => Self { set_ms: Some(u64::MAX), rings: false, last_ms: 0 },
        };
    }

    /// It rings now: whoever wants it to ring again is served by the end of the ring.
    pub const fn rings(&mut self) {
        *self = Self { set_ms: Some(0), rings: true, last_ms: 0 };
    }

    /// What was set may not have been kept.
    pub const fn forget(&mut self) {
        *self = Self { last_ms: self.last_ms, ..Self::unknown() };
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
    fn where_it_is_asked_again_and_again_it_rings_no_later() {
        let mut alarm = Alarm::unknown();
        alarm.set(Some(60));
        for now_ms in [1, 30, 59] {
            alarm.forget();
            assert_eq!((alarm.by(None, now_ms), alarm.last(now_ms)), (Wish::Ask, Some(60)), "{now_ms}");
            alarm.set(alarm.last(now_ms).min(Some(now_ms + 60)));
        }
        assert_eq!(alarm.last(60), None, "it has rung, or is lost");
        alarm.set(Some(120));
        alarm.rings();
        assert_eq!(alarm.last(61), None);
        alarm.set(None);
        assert_eq!(alarm.last(61), None);
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
