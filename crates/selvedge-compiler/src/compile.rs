//! The whole way, stage after stage; a later one runs only where the earlier left no error.

use crate::cases::{self, Case};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::lower::{Shared, build};
use crate::resolved::{Site, resolve};
use crate::source::{FileId, Files, Span};
use crate::summary::{Summary, summary};
use crate::threads::Threads;
use crate::written::{RULES_FILE, SITE_FILE};
use crate::{against, content_check, hardly_meant, limits_check, purpose_check, urgent, written};
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::{CAP_BYTES_MAX, PROGRAM_BYTES_MAX, STATE_BYTES_MAX};
use selvedge_core::rules::Program;
use selvedge_core::wire::program::Parts;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How many metrics are named where a state could grow too large.
const LARGEST: usize = 3;

/// What became of a site's files.
#[derive(Debug, Clone)]
pub struct Compilation {
    /// Everything found, sorted by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more errors follow from these: names that are declared, though with an error.
    pub held_back: usize,
    /// The programs, where no error was found.
    pub program: Option<Compiled>,
}

/// A site's two programs.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What the edge runs: everything.
    pub full: Parts,
    /// What pages load: the rules that run there, and nothing of the others.
    pub public: Parts,
    /// The bytes of [`Self::full`].
    pub full_bytes: Vec<u8>,
    /// The bytes of [`Self::public`].
    pub public_bytes: Vec<u8>,
    /// The program's name: the first 16 bytes of the SHA-256 of [`Self::full_bytes`].
    pub hash: ProgramHash,
    /// What there is to say of it.
    pub summary: Summary,
    /// The cases of the site's own tests.
    pub cases: Vec<Case>,
    /// The IANA name of the site's time zone.
    pub timezone: String,
}

/// Compiles a site: file names relative to its folder, and their text.
///
/// All errors of all files are found in one run. A file that is not one of `site.yaml`, `tracking-plan.yaml`,
/// `rules.yaml` and `content.yaml`, nor under `tests/`, is reported where it looks as if it were meant to be one.
///
/// ```
/// let files = [("site.yaml".to_owned(), "name: shop\nnmae: shop\n".to_owned())].into();
/// let compilation = selvedge_compiler::compile(&files);
/// assert!(compilation.program.is_none());
/// assert!(compilation.diagnostics.iter().any(|found| found.code == selvedge_compiler::Code::E0005));
/// ```
#[must_use]
pub fn compile(files: &BTreeMap<String, String>) -> Compilation {
    compile_beside(files, None)
}

/// As [`compile`], for visitors who are there already: `older` is the program that they were stepped under.
#[must_use]
pub fn compile_beside(files: &BTreeMap<String, String>, older: Option<&Parts>) -> Compilation {
    let bytes = files.values().map(String::len).sum();
    compile_by(Threads::for_bytes(bytes), files, older)
}

/// As [`compile_beside`], by so many threads: it gives back the same by one and by two.
fn compile_by(threads: Threads, files: &BTreeMap<String, String>, older: Option<&Parts>) -> Compilation {
    let files = Files::new(files);
    let mut report = Report::default();
    let program = run(&files, older, threads, &mut report);
    let held_back = report.hold_back(&files);
    Compilation { diagnostics: report.finish(&files), held_back, program }
}

/// The keys that the compiler asks for while it reads a site, mapping by mapping: what [`crate::schema`] is held to.
#[must_use]
pub fn keys_read(files: &BTreeMap<String, String>) -> BTreeSet<Vec<&'static str>> {
    let mut report = Report::default();
    report.keys = Some(BTreeSet::new());
    run(&Files::new(files), None, Threads::One, &mut report);
    report.keys.unwrap_or_default()
}

fn run(files: &Files<'_>, older: Option<&Parts>, threads: Threads, report: &mut Report) -> Option<Compiled> {
    // A file that cannot be read declares nothing: what the others say of it would be called unknown, name by name.
    let written = written::read(files, threads, report)?;
    let mut site = resolve(written, report);
    let cases = cases::read(files, &site, report);
    let shared = Shared::of(&site);
    let top = Span::top(files.find(RULES_FILE).or_else(|| files.find(SITE_FILE)).unwrap_or(FileId(0)));
    limits_check::check(&site, &shared, top, report);
    purpose_check::check(&site, &shared, report);
    content_check::check(&site, report);
    if report.has_errors() {
        return None;
    }
    urgent::mark(&mut site);
    let compiled = finish(&site, &shared, files, top, threads, report)?;
    if let Some(older) = older {
        against::check(&site, &compiled.full, older, report);
    }
    if report.has_errors() {
        return None;
    }
    Some(Compiled { cases, ..compiled })
}

fn finish(
    site: &Site,
    shared: &Shared,
    files: &Files<'_>,
    top: Span,
    threads: Threads,
    report: &mut Report,
) -> Option<Compiled> {
    let (full, public) = threads.both(
        || Built::new(build(site, shared, files, false), top),
        || Built::new(build(site, shared, files, true), top),
    );
    report.append(full.found);
    let state = full.state?;
    report.append(public.found);
    public.state?;
    hardly_meant::check(site, &full.parts, report);
    let bytes = (full.bytes.len(), public.bytes.len());
    let summary = summary(site, shared, &full.parts, bytes, state);
    Some(Compiled {
        hash: hash(&full.bytes),
        full: full.parts,
        public: public.parts,
        full_bytes: full.bytes,
        public_bytes: public.bytes,
        summary,
        cases: Vec::new(),
        timezone: site.site.timezone.clone(),
    })
}

/// One of the two programs, and what there is to say of it.
struct Built {
    parts: Parts,
    bytes: Vec<u8>,
    /// `None` where the program is not accepted.
    state: Option<StateBytes>,
    found: Report,
}

impl Built {
    fn new(parts: Parts, top: Span) -> Self {
        let bytes = parts.encode();
        let mut found = Report::default();
        let state = accepted(&bytes, top, &mut found);
        Self { parts, bytes, state, found }
    }
}

/// What a visitor's state may need, by what it is for; and what its cap history may.
type StateBytes = (Vec<(&'static str, usize)>, usize);

/// Loads the program as those who run it will; gives back what a visitor's state and cap history may need.
fn accepted(bytes: &[u8], top: Span, report: &mut Report) -> Option<StateBytes> {
    if bytes.len() > PROGRAM_BYTES_MAX {
        let message = format!("the program has {} bytes; at most {PROGRAM_BYTES_MAX}", bytes.len());
        report.add(Code::E0402, top, message);
        return None;
    }
    let program = match Program::load(bytes) {
        Ok(program) => program,
        Err(fault) => {
            report.add(Code::E0402, top, format!("the program is not accepted: {fault}"));
            return None;
        }
    };
    let (state, caps) = (program.state_bytes_max(), program.cap_bytes_max());
    for (what, found, limit) in [("state", state, STATE_BYTES_MAX), ("cap history", caps, CAP_BYTES_MAX)] {
        if found > limit {
            let message = format!("a visitor's {what} could need {found} bytes; at most {limit}");
            let help = match what {
                "state" => largest(&program),
                _ => "use fewer caps, or smaller ones".to_owned(),
            };
            report.add_help(Code::E0401, top, message, help);
        }
    }
    (!report.has_errors()).then(|| (program.state_bound(), caps))
}

/// What takes most of a visitor's state, and what to do about it.
fn largest(program: &Program) -> String {
    let metrics = program.parts().metrics.iter();
    let mut metrics: Vec<(usize, &str)> =
        metrics.map(|metric| (Program::metric_bytes_max(metric), metric.name.as_str())).collect();
    metrics.sort_by(|a, b| b.cmp(a));
    let named: Vec<String> =
        metrics.iter().take(LARGEST).map(|(bytes, name)| format!("`{name}` takes {bytes}")).collect();
    let most = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    format!("use fewer metrics, `session` for long windows, or smaller constants{most}")
}

fn hash(bytes: &[u8]) -> ProgramHash {
    let digest = Sha256::digest(bytes);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    ProgramHash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    type Site = BTreeMap<String, String>;

    fn site(folder: &str) -> Site {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let names = [SITE_FILE, "tracking-plan.yaml", RULES_FILE, "content.yaml"];
        let text = |name: &&str| std::fs::read_to_string(folder.join(name)).expect("a file of the site");
        names.iter().map(|name| ((*name).to_owned(), text(name))).collect()
    }

    /// The shop with its rules several times over, each with an id of its own.
    fn large_site() -> Site {
        let mut site = site("../../examples/shop");
        let rules = site.get_mut(RULES_FILE).expect("rules");
        let (_, list) = rules.split_once("\nrules:\n").expect("a list of rules");
        let copies: Vec<String> =
            (0..2).map(|copy| list.replace("\n  - id: ", &format!("\n  - id: copy-{copy}-"))).collect();
        rules.push_str(&copies.concat());
        site
    }

    #[track_caller]
    fn assert_same_by_both(site: &Site, older: Option<&Parts>) {
        let by = |threads| format!("{:#?}", compile_by(threads, site, older));
        assert_eq!(by(Threads::One), by(Threads::Two));
    }

    #[test]
    fn two_threads_compile_the_same_program_as_one() {
        let site = large_site();
        assert!(compile_by(Threads::Two, &site, None).program.is_some());
        assert_same_by_both(&site, None);
    }

    #[test]
    fn two_threads_find_the_same_as_one() {
        for (written, mistaken) in [
            ("priority: ", "priority: x"),
            ("slot: ", "slot: no-"),
            ("when: ", "when: no_such_fact and "),
            ("when: ", "wehn: "),
            ("show:", "show: !x"),
            ("show:", "show: ["),
            ("    show:", "   show:"),
            ("- id: copy-1-", "- id: "),
            ("\n  - id: copy-1-", "\nrules:\n  - id: "),
            ("\n  - id: copy-1-", "\n---\n  - id: "),
        ] {
            let mut site = large_site();
            let rules = site.get_mut(RULES_FILE).expect("rules");
            assert!(rules.contains(written), "{written}");
            *rules = rules.replace(written, mistaken);
            assert_same_by_both(&site, None);
        }
    }

    #[test]
    fn two_threads_say_the_same_of_every_example() {
        let small = site("tests/site");
        let older = compile(&small).program.expect("the small site compiles").full;
        for code in Code::ALL {
            let (first, text) = code.example().split_once('\n').expect("a first line");
            let name = first.trim_start_matches("# ").split(' ').next().unwrap_or_default();
            let mut site = small.clone();
            site.insert(name.to_owned(), text.to_owned());
            assert_same_by_both(&site, Some(&older));
        }
    }
}
