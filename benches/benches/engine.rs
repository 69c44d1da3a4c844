//! The rule engine, natively: nanoseconds a rule, one event against 1,000 rules, loading their program, bytes of state.

use selvedge_benches::engine::{Engine, program};
use selvedge_benches::measure::{nanoseconds, print_figure};
use selvedge_core::rules::{Image, Program};

fn main() {
    for rules in [100, 1_000] {
        let mut engine = Engine::new(&program(rules)).expect("the program of the benchmark loads");
        let decide = nanoseconds(|| engine.decide());
        print_figure(&format!("rule native, of {rules}"), decide / f64::from(rules));
    }
    let bytes = program(1_000);
    let mut engine = Engine::new(&bytes).expect("the program of the benchmark loads");
    let mut at = 0;
    let event = nanoseconds(|| {
        at += 1;
        engine.event(at)
    });
    print_figure("event against 1,000 rules native", event / 1e3);
    // What the page does, and what the edge does once for every publish.
    print_figure("open 1,000 rules", nanoseconds(|| Image::open(bytes.clone())) / 1e3);
    print_figure("load 1,000 rules", nanoseconds(|| Program::load(&bytes)) / 1e3);
    #[expect(clippy::cast_precision_loss, reason = "some thousand bytes")]
    print_figure("state of 24 counts and 48 attributes", engine.state_bytes() as f64);
}
