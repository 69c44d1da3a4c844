//! A program that changes while people are in session: what a metric counted stays, decisions differ only where
//! `selvedge diff` says that the programs do, a rollback loses nothing, and a page may stay on the program before.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use selvedge_cli::difference::compare;
use selvedge_cli::recorded::History;
use selvedge_cli::recorded::happened::Recorded;
use selvedge_cli::recorded::source::RecordedArguments;
use selvedge_cli::rehearsal::behind::Detail;
use selvedge_cli::rehearsal::given::Given;
use selvedge_cli::rehearsal::walk::{Manner, Walker};
use selvedge_cli::rehearsal::{Behind, Stage};
use selvedge_cli::site_files;
use selvedge_compiler::{Compiled, compile, render};
use selvedge_core::id::VisitorId;
use selvedge_core::rules::{Known, Moment, Place, Program, decide};
use selvedge_core::wire::program::FactSource;
use selvedge_core::wire::state::VisitorState;

const BEFORE: &str = "
metrics:
  shoe_views: count product_view where category = \"shoes\" in 10m
  cart_adds: count add_to_cart in session
  spend: sum purchase.value in 30d
  packs: count product_view where category = \"packs\" in 7d
rules:
  - id: shoes
    when: shoe_views >= 2 and cart_adds = 0
    show:
      slot: hero
      content: free_shipping_banner
  - id: cart
    when: cart_adds >= 1
    show:
      slot: banner
      content: cart_is_waiting_banner
  - id: spender
    when: spend >= 50 EUR
    show:
      slot: inbox
      content: vip_inbox
  - id: packs
    when: packs >= 3
    show:
      slot: modal
      content: newsletter_modal
";

/// A threshold moved, a content changed, a metric and its rule gone, another metric and its rule new; `spend` is as it was.
const AFTER: &str = "
metrics:
  shoe_views: count product_view where category = \"shoes\" in 10m
  cart_adds: count add_to_cart in session
  spend: sum purchase.value in 30d
  searches: count search in session
rules:
  - id: shoes
    when: shoe_views >= 3 and cart_adds = 0
    show:
      slot: hero
      content: free_shipping_banner
  - id: cart
    when: cart_adds >= 1
    show:
      slot: banner
      content: welcome_back_banner
  - id: spender
    when: spend >= 50 EUR
    show:
      slot: inbox
      content: vip_inbox
  - id: searching
    when: searches >= 2
    show:
      slot: modal
      content: newsletter_modal
";

fn compiled(rules: &str) -> Result<Compiled> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let mut files = site_files::read(&folder)?;
    files.retain(|name, _| !name.starts_with("tests/"));
    files.insert("rules.yaml".to_owned(), rules.to_owned());
    let compilation = compile(&files);
    let problems: Vec<String> =
        compilation.diagnostics.iter().map(|found| render(found, &files[&found.file])).collect();
    compilation.program.with_context(|| problems.join("\n"))
}

/// The recorded shop log, some of its visitors.
fn history() -> Result<History> {
    let recorded = RecordedArguments { dataset: Some("ecom".to_owned()), ..RecordedArguments::default() };
    let mut history = recorded.read()?;
    history.visitors = history.visitors.into_iter().take(80).collect();
    Ok(history)
}

/// The programs that a visitor is under: each from one of its events on.
type Course<'a> = [(usize, &'a Stage)];

/// What stands behind each event of a visitor, under the programs of `course`.
fn walk(course: &Course<'_>, id: VisitorId, events: &[Recorded], manner: &Manner) -> Result<Vec<Behind>> {
    let (_, first) = course.first().context("a program to begin with")?;
    let mut walker = Walker::new(first, id, manner, Given::default(), Detail::Facts);
    let mut behind = Vec::new();
    for (at, recorded) in events.iter().enumerate() {
        if let Some((_, stage)) = course.iter().find(|(from, _)| *from == at) {
            walker.visitor().publish(stage);
        }
        behind.push(walker.step(recorded)?);
    }
    Ok(behind)
}

/// What is known of each metric, by name.
fn metrics(stage: &Stage, behind: &Behind) -> BTreeMap<String, Known> {
    let facts = stage.parts.facts.iter().zip(&behind.facts);
    let named = facts.filter_map(|(fact, known)| match &fact.source {
        FactSource::Metric(at) => Some((stage.parts.metrics[usize::from(*at)].name.clone(), *known)),
        _ => None,
    });
    named.collect()
}

/// What the slots show, by slot.
fn shown(stage: &Stage, behind: &Behind) -> Vec<(String, Option<String>, Option<String>)> {
    let of_slot = |decision: &selvedge_core::rules::Decision| {
        (
            stage.slot_name(decision.slot).to_owned(),
            decision.rule.map(|rule| stage.rule_id(rule).to_owned()),
            decision.content.map(|content| stage.content_id(content).to_owned()),
        )
    };
    behind.decisions.iter().map(of_slot).collect()
}

#[test]
fn a_publish_in_mid_session_keeps_what_was_counted_and_changes_what_diff_says() -> Result<()> {
    let (old, new) = (Stage::of(&compiled(BEFORE)?)?, Stage::of(&compiled(AFTER)?)?);
    let history = history()?;
    let manner = Manner::of(&history, &[]);
    let (mut moments_changed, mut compared) = (0, 0);
    for (id, events) in &history.visitors {
        let switch = events.len() / 2;
        let under_old = walk(&[(0, &old)], *id, events, &manner)?;
        let under_new = walk(&[(0, &new)], *id, events, &manner)?;
        let under_both = walk(&[(0, &old), (switch, &new)], *id, events, &manner)?;
        for (at, both) in under_both.iter().enumerate() {
            let stage = if at < switch { &old } else { &new };
            let (was, is) = (shown(&old, &under_old[at]), shown(&new, &under_new[at]));
            moments_changed += u64::from(was != is);
            for ((then, now), found) in was.iter().zip(&is).zip(&shown(stage, both)) {
                assert!(
                    then != now || found == then,
                    "{id} at event {at}: {found:?} where neither differs: {then:?}"
                );
            }
            let (kept, found) = (metrics(&old, &under_old[at]), metrics(stage, both));
            for name in ["cart_adds", "spend"] {
                assert_eq!(kept[name], found[name], "{name} of {id} at event {at}");
                compared += 1;
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
    let said = compare(&old, &new, &history, &manner)?;
    assert_eq!(said.moments_changed, moments_changed);
    assert!(moments_changed > 100, "{moments_changed}");
    Ok(())
}

#[test]
fn a_metric_that_is_new_to_a_session_is_a_lower_bound_and_a_rollback_loses_nothing() -> Result<()> {
    let (old, new) = (Stage::of(&compiled(BEFORE)?)?, Stage::of(&compiled(AFTER)?)?);
    let history = history()?;
    let manner = Manner::of(&history, &[]);
    let (mut open, mut kept) = (0, 0);
    for (id, events) in &history.visitors {
        let (there, back) = (events.len() / 3, events.len() * 2 / 3);
        let under_old = walk(&[(0, &old)], *id, events, &manner)?;
        let under_new = walk(&[(0, &new)], *id, events, &manner)?;
        let course = walk(&[(0, &old), (there, &new), (back, &old)], *id, events, &manner)?;
        for (at, behind) in course.iter().enumerate() {
            let (stage, truth, name) = match at {
                _ if at >= back => (&old, metrics(&old, &under_old[at]), "packs"),
                _ if at >= there => (&new, metrics(&new, &under_new[at]), "searches"),
                _ => continue,
            };
            let (known, truth) = (metrics(stage, behind)[name], truth[name]);
            assert!(
                known.low <= truth.low && truth.high <= known.high,
                "{name} of {id} at {at}: {known:?}, {truth:?}"
            );
            open += u64::from(known.low < known.high);
            kept += u64::from(at >= back && known.low > 0);
        }
    }
    assert!(open > 20, "hardly anything was ever unknown: {open}");
    assert!(kept > 10, "hardly anything was kept over the program between: {kept}");
    Ok(())
}

/// Names that stay, with a filter, a window, a property or a purpose that does not.
const MEANT_BEFORE: &str = "
metrics:
  filtered: count product_view where category = \"shoes\" in 7d
  wider: count product_view in 1h
  longer: sum purchase.value in 1h
  other: last product_view.sku in 30d
";

const MEANT_AFTER: &str = "
metrics:
  filtered: count product_view where category = \"jackets\" in 7d
  wider: count product_view in 7d
  longer: sum purchase.value in 7d
  other: last product_view.category in 30d
";

const MEANT: &str = "
rules:
  - id: all
    when: >-
      filtered >= 3 or wider >= 8 or longer >= 50 EUR or other = \"shoes\"
    show:
      slot: hero
      content: free_shipping_banner
";

#[test]
fn a_metric_whose_meaning_changes_never_takes_over_what_another_counted() -> Result<()> {
    let stage = |metrics: &str| Stage::of(&compiled(&format!("{metrics}{MEANT}"))?);
    let (old, new) = (stage(MEANT_BEFORE)?, stage(MEANT_AFTER)?);
    let history = history()?;
    let manner = Manner::of(&history, &[]);
    let mut differ: BTreeMap<String, u32> = BTreeMap::new();
    for (id, events) in &history.visitors {
        let switch = events.len() / 2;
        let under_old = walk(&[(0, &old)], *id, events, &manner)?;
        let under_new = walk(&[(0, &new)], *id, events, &manner)?;
        let under_both = walk(&[(0, &old), (switch, &new)], *id, events, &manner)?;
        for at in switch..events.len() {
            let (was, truth) = (metrics(&old, &under_old[at]), metrics(&new, &under_new[at]));
            for (name, known) in metrics(&new, &under_both[at]) {
                let truth = truth[&name];
                let holds = known.low <= truth.low && truth.high <= known.high;
                assert!(holds, "{name} of {id} at {at}: {known:?}, {truth:?}");
                *differ.entry(name.clone()).or_default() += u32::from(was[&name] != truth);
            }
        }
    }
    assert!(differ.len() == 4 && differ.values().all(|times| *times > 20), "{differ:?}");
    Ok(())
}

/// Acts on what the program behind [`BEFORE`] no longer counts, where there is little of it.
const FEW_PACKS: &str = "
  - id: few-packs
    when: packs < 3
    show:
      slot: modal
      content: summer_sale_modal
";

/// Another tab of the visitor has the new program already: the edge steps under it, and this one is answered from there.
#[test]
fn a_page_may_stay_on_the_program_before() -> Result<()> {
    let (old, new) = (compiled(&format!("{}{}", BEFORE.trim_end(), FEW_PACKS))?, compiled(AFTER)?);
    let page = Program::load(&old.public_bytes)?;
    let (old, new) = (Stage::of(&old)?, Stage::of(&new)?);
    let history = history()?;
    let manner = Manner::of(&history, &[]);
    let context = selvedge_core::value::Map::new();
    let (mut acted, mut silent) = (0, 0);
    for (id, events) in &history.visitors {
        let switch = events.len() / 2;
        let under_old = walk(&[(0, &old)], *id, events, &manner)?;
        let behind = walk(&[(0, &old), (switch, &new)], *id, events, &manner)?;
        for (at, edge) in behind.iter().enumerate().skip(switch) {
            let state = edge.state.as_ref().context("the state was asked for")?;
            let public = state.public(&new.site.program, edge.writer).encode();
            let mut seen = VisitorState::decode(&public)?;
            let moment = Moment {
                writer: edge.writer,
                context: &context,
                now_ms: edge.now_ms,
                in_force: selvedge_core::consent::Purposes(u16::MAX),
                place: Place::Page,
                trust: selvedge_core::tracking_plan::Trust::Client,
                account: None,
                visitor: *id,
                orders: selvedge_core::rules::Orders::default(),
            };
            let slot = |name: &str| page.parts().slots.iter().position(|slot| slot.name == name);
            let inbox = slot("inbox").context("the inbox")?;
            let modal = slot("modal").context("the modal")?;
            let decisions = decide(&page, &mut seen, &moment);
            assert_eq!(decisions[modal].rule, None, "on what nobody counts any more, of {id} at event {at}");
            let in_old = shown(&old, &under_old[at]).into_iter().find(|(slot, ..)| slot == "modal");
            silent += u64::from(in_old.is_some_and(|(_, rule, _)| rule.is_some()));
            let in_page = decisions[inbox].rule.map(|rule| page.rule_id(rule).to_owned());
            let at_edge =
                shown(&new, edge).into_iter().find(|(slot, ..)| slot == "inbox").and_then(|found| found.1);
            assert_eq!(in_page, at_edge, "a rule that is the same in both, of {id} at event {at}");
            acted += u64::from(in_page.is_some());
        }
    }
    assert!(acted > 100, "{acted}");
    assert!(silent > 1_000, "{silent}");
    Ok(())
}
