//! The rule engine, natively: nanoseconds a rule, one event against 1,000 rules, loading their program, bytes of state.
//! `cargo bench --bench engine -- event` measures only the figures whose name holds that word.

use mimalloc::MiMalloc;
use selvedge_benches::engine::{Engine, program};
use selvedge_benches::measure::{nanoseconds, print_figure};
use selvedge_core::rules::{Image, Program};

/// As in the command line, which is where programs are loaded natively.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let figure = |name: &str, scale: f64, work: &mut dyn FnMut() -> usize| {
        if name.contains(&wanted) {
            print_figure(name, nanoseconds(work) / scale);
        }
    };
    for rules in [10, 100, 1_000, 10_000] {
        let mut engine = Engine::new(&program(rules)).expect("the program of the benchmark loads");
        figure(&format!("rule native, of {rules}"), f64::from(rules), &mut || engine.decide());
        let mut at = 0;
        figure(&format!("event against {} native", in_words(rules)), 1e3, &mut || {
            at += 1;
            engine.event(at)
        });
    }
    let bytes = program(1_000);
    // What the page does, and what the edge does once for every publish.
    figure("open 1,000 rules", 1e3, &mut || {
        Image::open(bytes.clone()).map_or(0, |image| image.bytes().len())
    });
    figure("load 1,000 rules", 1e3, &mut || Program::load(&bytes).map_or(0, |image| image.bytes().len()));
    if "state of 24 counts and 48 attributes".contains(&wanted) {
        let engine = Engine::new(&bytes).expect("the program of the benchmark loads");
        #[expect(clippy::cast_precision_loss, reason = "some thousand bytes")]
        print_figure("state of 24 counts and 48 attributes", engine.state_bytes() as f64);
    }
}

fn in_words(rules: u16) -> String {
    match rules {
        1_000.. => format!("{},{:03} rules", rules / 1_000, rules % 1_000),
        _ => format!("{rules} rules"),
    }
}
