//! Invariant 5: one recorded journey, run natively and by the worker, gives the same lines byte for byte; the page's own
//! evaluation gives the same decisions. (tests/browser/agreement.test.mjs runs the same files in Chromium.)
//!
//! The lines are kept in tests/fixtures/journey; `SELVEDGE_WRITE_GOLDEN=1` writes them anew.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use selvedge_core::wire::answer::read_answer;
use selvedge_probe::{at_the_edge, decision, in_the_page, line};
use selvedge_tests::{Setup, World, compiled_shop};
use serde_json::Value;

/// The batch with which the visitor comes back, by its place.
const BACK_AFTER_DAYS: usize = 14;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/journey").join(name)
}

fn check(name: &str, lines: &str) -> Result<()> {
    if std::env::var_os("SELVEDGE_WRITE_GOLDEN").is_some() {
        fs::write(fixture(name), lines)?;
    }
    let expected = fs::read_to_string(fixture(name)).with_context(|| format!("{name} is missing"))?;
    for (at, (found, expected)) in lines.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{name}, batch {}", at + 1);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
    Ok(())
}

/// The program is kept with the lines: a rule that is edited in examples/shop does not change a recorded journey.
fn programs() -> Result<(Vec<u8>, Vec<u8>)> {
    if std::env::var_os("SELVEDGE_WRITE_GOLDEN").is_some() {
        let shop = compiled_shop()?;
        fs::write(fixture("full.program"), &shop.full_bytes)?;
        fs::write(fixture("public.program"), &shop.public_bytes)?;
    }
    Ok((fs::read(fixture("full.program"))?, fs::read(fixture("public.program"))?))
}

#[test]
fn natively_the_journey_gives_the_recorded_lines() -> Result<()> {
    let (full, public) = programs()?;
    let batches = fs::read(fixture("batches.json"))?;
    check("edge.txt", &at_the_edge(&full, &batches))?;
    check("page.txt", &in_the_page(&full, &public, &batches))
}

#[test]
fn the_page_decides_what_the_edge_answers() -> Result<()> {
    let (full, public) = programs()?;
    let batches = fs::read(fixture("batches.json"))?;
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
    let (full, public) = programs()?;
    let world = World::with(Setup { is_unpublished: true, ..Setup::default() })?;
    world.publish_bytes(&full, &public)?;
    let batches: Vec<Value> = serde_json::from_slice(&fs::read(fixture("batches.json"))?)?;
    let mut lines = String::new();
    for batch in &batches {
        let answer = world.admin_post("/v1/collect", batch.to_string().as_bytes())?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        lines.push_str(&line_of(&answer.json()?)?);
        lines.push('\n');
    }
    check("edge.txt", &lines)
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
