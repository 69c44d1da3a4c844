// How a figure is taken and printed. In: samples, or work to be timed. Out: lines of JSON as `cargo xtask bench` reads
// them; `min` beside the median says how quiet the machine was.

/** The middle of a list of numbers. */
export function median(samples) {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Prints a figure: the median of its samples, each divided by `per`. `of` says whose it is, where several have it. */
export function print(name, samples, per = 1, of = undefined) {
  const [value, min] = [median(samples), Math.min(...samples)].map((sample) => sample / per);
  console.log(JSON.stringify({ figure: name, of, value, min }));
}

/**
 * Nanoseconds of one run, in `count` samples of at least `ms` each: shorter than what a busy machine gives to anybody in one
 * piece, so that most samples are whole. `work(runs)` does it so many times. It needs nothing from outside, so that it can be
 * sent into a page as text.
 */
export function sample(work, count = 401, ms = 0.5) {
  const spent = (runs) => {
    const begin = performance.now();
    work(runs);
    return performance.now() - begin;
  };
  let runs = 1;
  // Thrice, because a machine that was busy for a moment is not slow.
  while (Math.min(spent(runs), spent(runs), spent(runs)) < ms) runs *= 2;
  return Array.from({ length: count }, () => (spent(runs) * 1e6) / runs);
}
