//! Faults that tests plant, to prove the barrier and the fence. They act only under `SELVEDGE_TEST_FAULTS=1`.

use selvedge_core::event::Event;
use selvedge_core::id::VisitorId;
use selvedge_core::value::Map;

/// The visitor whose deadlines fail.
const DOOMED: u64 = 0xdead_11fe;

/// The property of an event that plants a fault.
const PROPERTY: &str = "__fault";

/// The faults that one step meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPlan {
    /// Whether faults act at all.
    pub is_on: bool,
}

impl FaultPlan {
    /// Panics where the event asks for it: `step_panic` always, `step_panic_once` at the first attempt.
    #[expect(clippy::panic, reason = "it is what the tests plant")]
    pub fn at_event(self, event: &Event, attempts: u32) {
        match self.of(event) {
            Some("step_panic") => panic!("planted: in the step of {}", event.name),
            Some("step_panic_once") if attempts == 0 => panic!("planted: once in the step of {}", event.name),
            _ => {}
        }
    }

    /// Whether the event asks for an error between two writes.
    pub fn is_between_writes(self, event: &Event) -> bool {
        self.of(event) == Some("between_writes")
    }

    /// Panics where the context of a question asks for it (`__fault: "decide_panic"`).
    #[expect(clippy::panic, reason = "it is what the tests plant")]
    pub fn at_decide(self, context: &Map) {
        if self.is_on && context.text(PROPERTY) == Some("decide_panic") {
            panic!("planted: in a decision");
        }
    }

    /// Panics at every deadline of one visitor, whose id holds [`DOOMED`] behind its first byte.
    #[expect(clippy::panic, reason = "it is what the tests plant")]
    pub fn at_deadline(self, visitor: VisitorId) {
        if self.is_on && visitor.0.get(1..9) == Some(&DOOMED.to_le_bytes()) {
            panic!("planted: at a deadline");
        }
    }

    /// Panics outside the barrier.
    #[expect(clippy::panic, reason = "it is what the tests plant")]
    pub fn outside_the_barrier(self) {
        if self.is_on {
            panic!("planted: outside the barrier");
        }
    }

    fn of(self, event: &Event) -> Option<&str> {
        if self.is_on { event.properties.text(PROPERTY) } else { None }
    }
}
