//! How long something takes: the median of many samples, so that a busy machine does not count.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Samples whose median is taken, at least.
const SAMPLES: usize = 51;
/// How long one sample runs at least: shorter than what a busy machine gives to anybody in one piece, so that most samples
/// are whole.
const SAMPLE_TIME: Duration = Duration::from_micros(200);
/// How long samples are taken, where there are enough of them.
const TIME: Duration = Duration::from_millis(200);

/// Median nanoseconds of one run of `work`.
pub fn nanoseconds<T>(mut work: impl FnMut() -> T) -> f64 {
    let runs = runs_per_sample(&mut work);
    let mut samples = Vec::new();
    let begin = Instant::now();
    while samples.len() < SAMPLES || begin.elapsed() < TIME {
        samples.push(sample(&mut work, runs));
    }
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prints a figure as `cargo xtask bench` reads it.
pub fn print_figure(name: &str, value: f64) {
    println!("{}", serde_json::json!({"figure": name, "value": value}));
}

/// As [`print_figure`], of one of several that are set side by side.
pub fn print_figure_of(name: &str, of: &str, value: f64) {
    println!("{}", serde_json::json!({"figure": name, "of": of, "value": value}));
}

fn runs_per_sample<T>(work: &mut impl FnMut() -> T) -> u32 {
    let mut runs = 1;
    loop {
        let begin = Instant::now();
        (0..runs).for_each(|_| drop(black_box(work())));
        if begin.elapsed() >= SAMPLE_TIME {
            return runs;
        }
        runs *= 2;
    }
}

fn sample<T>(work: &mut impl FnMut() -> T, runs: u32) -> f64 {
    let begin = Instant::now();
    (0..runs).for_each(|_| drop(black_box(work())));
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(runs)
}
