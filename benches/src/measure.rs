//! How long something takes: the median of many samples, so that a busy machine does not count.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Samples whose median is taken.
const SAMPLES: usize = 51;
/// How long one sample runs at least.
const SAMPLE_TIME: Duration = Duration::from_millis(4);

/// Median nanoseconds of one run of `work`.
pub fn nanoseconds<T>(mut work: impl FnMut() -> T) -> f64 {
    let runs = runs_per_sample(&mut work);
    let mut samples: Vec<f64> = (0..SAMPLES).map(|_| sample(&mut work, runs)).collect();
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

/// Prints a figure as `cargo xtask bench` reads it.
pub fn print_figure(name: &str, value: f64) {
    println!("{}", serde_json::json!({"figure": name, "value": value}));
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
