//! Consent strings made by the IAB's own libraries: what they read, the core reads. And whatever is cut off or broken
//! grants nothing.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_core::consent::tcf::{self, Restriction, TcString};
use selvedge_core::consent::us::UsSection;
use selvedge_core::consent::{Purposes, gpp};
use selvedge_tests::full_counts;
use serde::Deserialize;
use xtask::repo::Repo;

/// Strings made for CI, and at length.
const STRINGS: u32 = 5_000;
const STRINGS_FULL: u32 = 100_000;
/// What stands behind the last bit of a segment, in characters of six bits, at most.
const PADDING: usize = 4;
const RESTRICTIONS: [Restriction; 3] =
    [Restriction::NotAllowed, Restriction::RequireConsent, Restriction::RequireInterest];

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Tcf(Tc),
    Gpp(Gpp),
}

#[derive(Deserialize)]
struct Tc {
    text: String,
    consents: Vec<u8>,
    interests: Vec<u8>,
    features: Vec<u8>,
    publisher_consents: Vec<u8>,
    publisher_interests: Vec<u8>,
    vendors: Vec<Vendor>,
}

#[derive(Deserialize)]
struct Vendor {
    vendor: u16,
    consent: bool,
    interest: bool,
    disclosed: bool,
    restricted: Vec<(u8, u8)>,
}

#[derive(Deserialize)]
struct Gpp {
    text: String,
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    id: u8,
    tc: Option<String>,
    consents: Option<Vec<u8>>,
    sale: Option<u8>,
    is_out: Option<bool>,
    gpc: Option<bool>,
}

fn lines(seed: u32) -> Result<Vec<Line>> {
    let count = if full_counts() { STRINGS_FULL } else { STRINGS };
    let made = Command::new("node")
        .arg(Repo::find()?.path("tests/iab/strings.mjs"))
        .args([seed.to_string(), count.to_string()])
        .output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout)?;
    text.lines().map(|line| serde_json::from_str(line).context("a line of strings.mjs")).collect()
}

#[test]
fn every_query_answers_as_the_official_libraries_do() -> Result<()> {
    let (mut strings, mut queries) = (0u32, 0u64);
    for line in lines(1)? {
        strings += 1;
        queries += match line {
            Line::Tcf(tc) => same_tc(&tc).with_context(|| tc.text.clone())?,
            Line::Gpp(gpp) => same_gpp(&gpp).with_context(|| gpp.text.clone())?,
        };
    }
    println!("{strings} strings, {queries} queries, 0 disagreements");
    ensure!(strings >= STRINGS && queries > 1_000_000, "{strings} strings, {queries} queries");
    Ok(())
}

#[test]
fn a_broken_string_grants_nothing() -> Result<()> {
    for line in lines(2)?.into_iter().take(1_000) {
        if let Line::Tcf(tc) = line {
            let core = tc.text.split('.').next().unwrap_or_default();
            for end in 0..core.len().saturating_sub(PADDING) {
                let cut = tcf::statement(&core.as_bytes()[..end], None, &tcf::Asked::default());
                ensure!(cut.granted == Purposes::NONE, "{} granted", &core[..end]);
            }
            for broken in [format!("{}*", tc.text), format!("D{}", &tc.text[1..]), format!("{}.*", tc.text)] {
                ensure!(
                    tcf::statement(broken.as_bytes(), None, &tcf::Asked::default()).granted == Purposes::NONE,
                    "{broken} granted"
                );
            }
        }
    }
    Ok(())
}

/// The queries that were compared.
fn same_tc(tc: &Tc) -> Result<u64> {
    let read = TcString::parse(tc.text.as_bytes()).context("it does not parse")?;
    let purposes = |is: &dyn Fn(u8) -> bool| (0..=25).filter(|purpose| is(*purpose)).collect::<Vec<u8>>();
    ensure!(purposes(&|at| read.consents_to(at)) == tc.consents, "consents");
    ensure!(purposes(&|at| read.tells_interest(at)) == tc.interests, "interests");
    ensure!(purposes(&|at| read.opts_in(at)) == tc.features, "features");
    ensure!(purposes(&|at| read.consents_to_publisher(at)) == tc.publisher_consents, "publisher");
    ensure!(purposes(&|at| read.tells_interest_of_publisher(at)) == tc.publisher_interests, "publisher");
    for vendor in &tc.vendors {
        same_vendor(&read, tc, vendor).with_context(|| format!("vendor {}", vendor.vendor))?;
    }
    same_statement(tc)?;
    Ok(26 * 5 + tc.vendors.len() as u64 * (3 + 24 * 5))
}

fn same_vendor(read: &TcString<'_>, tc: &Tc, one: &Vendor) -> Result<()> {
    let id = one.vendor;
    ensure!(read.consents_to_vendor(id) == one.consent, "consent");
    ensure!(read.tells_interest_of_vendor(id) == one.interest, "interest");
    ensure!(read.discloses(id) == one.disclosed, "disclosed");
    for purpose in 1..=24 {
        let restricted = |how: Restriction| one.restricted.contains(&(purpose, how as u8));
        for how in RESTRICTIONS {
            ensure!(read.restricts(purpose, id, how) == restricted(how), "{purpose} {how:?}");
        }
        let [never, by_consent, by_interest] = RESTRICTIONS.map(restricted);
        let consented = one.disclosed && one.consent && tc.consents.contains(&purpose);
        ensure!(
            read.allows_by_consent(purpose, id) == (consented && !never && !by_interest),
            "purpose {purpose} by consent"
        );
        let told = one.disclosed && one.interest && tc.interests.contains(&purpose);
        let may = !matches!(purpose, 1 | 3 | 4 | 5 | 6);
        ensure!(
            read.allows_by_interest(purpose, id) == (may && told && !never && !by_consent),
            "purpose {purpose} by interest"
        );
    }
    Ok(())
}

/// What is folded into our purposes follows from the consents alone.
fn same_statement(tc: &Tc) -> Result<()> {
    let said = tcf::statement(tc.text.as_bytes(), None, &tcf::Asked::default());
    let all = |asked: &[u8]| asked.iter().all(|purpose| tc.consents.contains(purpose));
    ensure!(said.granted.holds(Purposes::ANALYTICS) == all(&[1, 8, 9, 10]), "analytics");
    ensure!(said.granted.holds(Purposes::PERSONALIZATION) == all(&[1, 5, 6]), "personalization");
    ensure!(said.granted.holds(Purposes::ADVERTISING) == all(&[1, 2, 3, 4, 7]), "advertising");
    ensure!(said.granted.and(said.denied).is_empty(), "granted and denied");
    Ok(())
}

fn same_gpp(gpp: &Gpp) -> Result<u64> {
    let read = gpp::GppString::parse(gpp.text.as_bytes()).context("it does not parse")?;
    let mut ids = Vec::new();
    read.ids(&mut |id| ids.push(id)).context("its header is cut off")?;
    ensure!(ids == gpp.sections.iter().map(|section| section.id).collect::<Vec<_>>(), "sections {ids:?}");
    for section in &gpp.sections {
        let text = read.section(section.id).context("a section is missing")?;
        same_section(&gpp.text, text, section).with_context(|| format!("section {}", section.id))?;
    }
    Ok(gpp.sections.len() as u64 * 4 + 1)
}

fn same_section(whole: &str, text: &[u8], expected: &Section) -> Result<()> {
    let said = gpp::statement(whole.as_bytes(), &[expected.id], None, &tcf::Asked::default());
    let denies = said.denied.holds(Purposes::ADVERTISING);
    match (expected.id, &expected.consents) {
        (2, Some(consents)) => {
            ensure!(Some(text) == expected.tc.as_deref().map(str::as_bytes), "the text of the section");
            let read = TcString::parse(text).context("it does not parse")?;
            ensure!((1..=24).all(|at| read.consents_to(at) == consents.contains(&at)), "consents");
        }
        (5, Some(consents)) => {
            ensure!((1..=24).all(|at| gpp::canada_consents(text, at) == consents.contains(&at)), "consents");
        }
        (6, _) => ensure!(denies == (expected.sale == Some(1)), "sale"),
        (id, _) => {
            let read = UsSection::parse(id, text).context("it does not parse")?;
            ensure!(read.opted_out_of_sale() == (expected.sale == Some(1)), "sale");
            ensure!(Some(read.opted_out()) == expected.is_out, "opted out");
            ensure!(Some(read.privacy_control()) == expected.gpc, "privacy control");
            ensure!(denies == (read.opted_out() || read.privacy_control()), "statement");
        }
    }
    Ok(())
}
