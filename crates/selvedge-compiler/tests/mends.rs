//! What is said of a mistake mends it: the example of every code, with its fix pasted back, is without fault.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::{Code, Compilation, compile, compile_beside};
use selvedge_core::wire::program::Parts;

/// Ends the first line of an example for a site that is not the first.
const BESIDE: &str = " beside an older program";

/// Codes whose help says in words what to do, where a text to paste would be a guess.
const IN_WORDS: &[&str] =
    &["E0001", "E0002", "E0003", "E0008", "E0012", "E0103", "E0209", "E0506", "E0601", "E0808", "W0740"];

/// The small site, changed as the code's example says, and the program that it is checked beside.
fn broken(code: Code) -> (Site, Option<Parts>) {
    let (first, text) = code.example().split_once('\n').expect("a first line");
    let first = first.trim_start_matches("# ");
    let mut files = small_site();
    let older = first.ends_with(BESIDE).then(|| compile(&files).program.expect("compiles").full);
    match first.strip_suffix(" is missing") {
        Some(missing) => {
            files.remove(missing);
        }
        None => {
            files.insert(first.trim_end_matches(BESIDE).to_owned(), text.to_owned());
        }
    }
    (files, older)
}

/// Pastes one stretch of lines into a file.
fn paste(code: Code, files: &mut Site, file: &str, lines: &[&str]) {
    let side = |not: char| -> String {
        let kept = lines.iter().filter(|line| !line.starts_with(not));
        kept.map(|line| format!("{}\n", &line[1..])).collect()
    };
    let (was, becomes) = (side('+'), side('-'));
    if was.is_empty() {
        files.insert(file.to_owned(), becomes);
        return;
    }
    let text = format!("\n{}", files[file]);
    let was = format!("\n{was}");
    assert_eq!(text.matches(&was).count(), 1, "{code}: not once in {file}:{was}");
    let text = text.replacen(&was, &format!("\n{becomes}"), 1);
    match text.trim_start() {
        "" => files.remove(file),
        _ => files.insert(file.to_owned(), text[1..].to_owned()),
    };
}

/// The site with the code's fix in it.
fn mended(code: Code, mut files: Site) -> Site {
    let stretches = code.mend().strip_prefix("@@ ").expect("names its file first").split("\n@@ ");
    for stretch in stretches {
        let mut lines = stretch.lines();
        let file = lines.next().expect("the name of a file");
        paste(code, &mut files, file, &lines.collect::<Vec<_>>());
    }
    files
}

/// How often a text that a help proposes stands in the files: `...` is anything in its line.
fn times(files: &Site, proposed: &str) -> usize {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let parts: Vec<&str> = proposed.split("...").map(str::trim).collect();
    let in_line = |line: &str| {
        let Some((first, rest)) = parts.split_first() else { return 0 };
        let starts = line.match_indices(first).filter(|(at, _)| {
            let before = line[..*at].chars().next_back().is_some_and(is_word);
            let after = line[at + first.len()..].chars().next().is_some_and(is_word);
            let follows = |at: usize, part: &&str| line[at..].find(part).map(|n| at + n + part.len());
            let is_longer = before && first.starts_with(is_word) || after && first.ends_with(is_word);
            let whole = rest.iter().try_fold(at + first.len(), follows);
            !(is_longer || whole.is_none())
        });
        starts.count()
    };
    files
        .iter()
        .flat_map(|(name, text)| std::iter::once(name.as_str()).chain(text.lines()))
        .map(in_line)
        .sum()
}

/// Whether a text that the help puts into backticks is what the mend put in or took out.
fn is_pasted(found: &Compilation, broken: &Site, mended: &Site) -> bool {
    let helps = found.diagnostics.iter().map(|found| found.help.as_deref().unwrap_or_default());
    let is_moved = |proposed: &str| times(broken, proposed) != times(mended, proposed);
    helps.into_iter().all(|help| {
        let proposals: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        proposals.is_empty() || proposals.into_iter().any(is_moved)
    })
}

#[test]
fn the_fix_of_every_code_pasted_back_leaves_nothing_to_say() {
    let mut wrong = String::new();
    for code in Code::ALL {
        let (files, older) = broken(*code);
        assert!(!compile_beside(&files, older.as_ref()).diagnostics.is_empty(), "{code}");
        let files = mended(*code, files);
        let left = compile_beside(&files, older.as_ref());
        if !left.diagnostics.is_empty() {
            wrong += &format!("{code}:\n{}\n", rendered(&files, &left));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_a_help_puts_into_backticks_is_what_mends() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let (files, older) = broken(*code);
        let found = compile_beside(&files, older.as_ref());
        if is_pasted(&found, &files, &mended(*code, files.clone())) == IN_WORDS.contains(&code.as_str()) {
            wrong.push(code.as_str());
        }
    }
    assert!(wrong.is_empty(), "these mends are not what the help proposes: {wrong:?}");
}
