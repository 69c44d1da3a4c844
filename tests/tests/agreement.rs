//! Invariant 5: recorded journeys, run natively and by the worker, give the same lines byte for byte; the page's own
//! evaluation gives the same decisions. (tests/browser/agreement.test.mjs runs the same files in Chromium.)
//!
//! `journey` is a visit to the shop. `everything` is a visitor who does a bit of everything, at random, under two programs
//! that hold every construct of the language between them. `SELVEDGE_WRITE_GOLDEN=1` writes programs, journeys and lines
//! anew. Random visitors of random sites are held to what is said natively at that time; nothing of them is recorded.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use selvedge_cli::site_files;
use selvedge_compiler::{Compiled, compile, render};
use selvedge_core::wire::answer::read_answer;
use selvedge_core::wire::program::Parts;
use selvedge_probe::{at_publish, at_the_edge, decision, in_the_page, line};
use selvedge_tests::{Setup, World, compiled_shop, happenings, random_sites};
use serde_json::{Value, json};

/// The batch with which the visitor comes back, by its place.
const BACK_AFTER_DAYS: usize = 14;

/// A program with its lines, and the journey that they are of.
struct Case {
    /// The folder of the program and the lines.
    folder: &'static str,
    /// The folder of the journey.
    journey: &'static str,
}

const SHOP: Case = Case { folder: "journey", journey: "journey" };
const CASES: [Case; 3] = [
    SHOP,
    Case { folder: "everything/values", journey: "everything" },
    Case { folder: "everything/deciding", journey: "everything" },
];

fn fixtures(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn is_written_anew() -> bool {
    std::env::var_os("SELVEDGE_WRITE_GOLDEN").is_some()
}

impl Case {
    fn file(&self, name: &str) -> PathBuf {
        fixtures(self.folder).join(name)
    }

    fn check(&self, name: &str, lines: &str) -> Result<()> {
        if is_written_anew() {
            fs::write(self.file(name), lines)?;
        }
        let path = self.file(name);
        let expected = fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        for (at, (found, expected)) in lines.lines().zip(expected.lines()).enumerate() {
            assert_eq!(found, expected, "{}/{name}, batch {}", self.folder, at + 1);
        }
        assert_eq!(lines.lines().count(), expected.lines().count());
        Ok(())
    }

    /// The program is kept with the lines: a rule that is edited in examples/shop does not change a recorded journey.
    fn programs(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        if is_written_anew() {
            let compiled = if self.folder == SHOP.folder { compiled_shop()? } else { self.compiled()? };
            fs::write(self.file("full.program"), &compiled.full_bytes)?;
            fs::write(self.file("public.program"), &compiled.public_bytes)?;
        }
        Ok((fs::read(self.file("full.program"))?, fs::read(self.file("public.program"))?))
    }

    /// The site of this case: its own rules, and the files beside its journey.
    fn compiled(&self) -> Result<Compiled> {
        let mut files = site_files::read(&fixtures(self.journey))?;
        files.retain(|name, _| !name.contains('/'));
        files.insert("rules.yaml".into(), fs::read_to_string(self.file("rules.yaml"))?);
        let compilation = compile(&files);
        let problems: Vec<String> =
            compilation.diagnostics.iter().map(|found| render(found, &files[&found.file])).collect();
        compilation.program.with_context(|| problems.join("\n"))
    }

    fn batches(&self) -> Result<Vec<u8>> {
        let path = fixtures(self.journey).join("batches.json");
        if is_written_anew() && self.folder != SHOP.folder {
            let lines: Vec<String> = happenings::batches().iter().map(Value::to_string).collect();
            fs::write(&path, format!("[{}]\n", lines.join(",\n")))?;
        }
        Ok(fs::read(path)?)
    }
}

#[test]
fn natively_the_journeys_give_the_recorded_lines() -> Result<()> {
    for case in CASES {
        let ((full, public), batches) = (case.programs()?, case.batches()?);
        case.check("edge.txt", &at_the_edge(&full, &batches))?;
        case.check("page.txt", &in_the_page(&full, &public, &batches))?;
    }
    Ok(())
}

#[test]
fn every_rule_of_everything_wins_at_some_time() -> Result<()> {
    for case in CASES.iter().filter(|case| case.journey == "everything") {
        let lines = fs::read_to_string(case.file("edge.txt"))?;
        let (full, _) = case.programs()?;
        for rule in &Parts::decode(&full)?.rules {
            assert!(lines.contains(&format!(": {} ", rule.id)), "{} never wins", rule.id);
        }
    }
    Ok(())
}

#[test]
fn the_page_decides_what_the_edge_answers() -> Result<()> {
    let ((full, public), batches) = (SHOP.programs()?, SHOP.batches()?);
    let edge = at_the_edge(&full, &batches);
    let page = in_the_page(&full, &public, &batches);
    let decisions = |line: &str| line.split_once(" | ").map(|(_, rest)| rest.to_string());
    let mut compared = 0;
    for (at, (edge, page)) in edge.lines().zip(page.lines()).enumerate().skip(1) {
        if at == BACK_AFTER_DAYS {
            // The page's grants expired: until the edge answers, it shows nothing that is capped.
            assert!(page.contains("| banner: - banner_sixty_days fallback"), "{page}");
            assert!(edge.contains("| banner: welcome-back-banner welcome_back_banner won"), "{edge}");
            continue;
        }
        assert_eq!(decisions(page), decisions(edge), "batch {}", at + 1);
        compared += 1;
    }
    assert!(compared > 15);
    Ok(())
}

#[test]
fn the_worker_gives_the_recorded_lines() -> Result<()> {
    for case in CASES {
        let (full, public) = case.programs()?;
        let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
        world.publish_bytes(&full, &public)?;
        let batches: Vec<Value> = serde_json::from_slice(&case.batches()?)?;
        let mut lines = String::new();
        for batch in &batches {
            let answer = world.admin_post("/v1/collect", batch.to_string().as_bytes())?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            lines.push_str(&line_of(&answer.json()?)?);
            lines.push('\n');
        }
        case.check("edge.txt", &lines)?;
    }
    Ok(())
}

#[test]
fn the_worker_says_of_random_sites_what_is_said_natively() -> Result<()> {
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    let (mut sites, mut events, mut shown, mut empty) = (0, 0, 0, 0);
    for site in random_sites() {
        sites += 1;
        world.publish_bytes(&site.compiled.full_bytes, &site.compiled.public_bytes)?;
        for batches in &site.visitors {
            let natively =
                at_publish(sites, &site.compiled.full_bytes, json!(batches).to_string().as_bytes());
            assert_eq!(natively.lines().count(), batches.len(), "site {}: {natively}", site.seed);
            for (batch, natively) in batches.iter().zip(natively.lines()) {
                let answer = world.admin_post("/v1/collect", batch.to_string().as_bytes())?;
                assert_eq!(answer.status, 200, "site {}: {}", site.seed, answer.text());
                assert_eq!(line_of(&answer.json()?)?, natively, "site {}: {batch}", site.seed);
                events += batch["events"].as_array().context("events")?.len();
                shown += natively.matches(" won").count() + natively.matches(" held").count();
                empty += natively.matches(" fallback").count();
            }
        }
    }
    println!("{sites} sites, {events} events: {shown} slots showed a rule, {empty} none");
    assert!(events > 1_500 && shown.min(empty) > (shown + empty) / 10, "one of them is hardly ever met");
    Ok(())
}

/// The worker's JSON answer in the same words as [`line`].
fn line_of(answer: &Value) -> Result<String> {
    let text = |value: &Value| value.as_str().map(str::to_string);
    let mut words = format!("accepted {} duplicates {} refused", answer["accepted"], answer["duplicates"]);
    for refused in answer["refused"].as_array().context("refused")? {
        words.push_str(&format!(" {}:{}", refused["sequence"], text(&refused["code"]).unwrap_or_default()));
    }
    words.push_str(" state ");
    for byte in base64(&text(&answer["state"]).context("state")?) {
        words.push_str(&format!("{byte:02x}"));
    }
    for decided in answer["decisions"].as_array().context("decisions")? {
        let word = |name: &str| text(&decided[name]);
        let slot = word("slot").context("slot")?;
        let reason = word("reason").context("reason")?;
        words.push_str(&decision(&slot, word("rule").as_deref(), word("content").as_deref(), &reason));
    }
    Ok(words)
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.bytes().filter(|digit| *digit != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit).expect("a digit of base64");
        bits = (bits << 6) | u32::try_from(value).expect("below 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("a byte"));
        }
    }
    bytes
}

#[test]
fn the_binary_answer_says_the_same_as_the_json_one() -> Result<()> {
    let world = World::start()?;
    let mut visitor = selvedge_tests::Visitor::new(5);
    let event = visitor.event("search", &[("query", selvedge_core::value::Value::Text("x".into()))]);
    let header = visitor.header();
    let body = selvedge_core::wire::batch::encode_batch(&header, &[&event], None);
    let answer = world.client().post("/v1/collect", &[], &body)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = read_answer(&answer.body).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    assert!(line(&answer).starts_with("accepted 1 duplicates 0 refused state "));
    assert_eq!(answer.publish, 1);
    Ok(())
}
