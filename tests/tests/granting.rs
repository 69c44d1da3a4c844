//! Caps over a real workerd, for hands without a rule engine: however many ask at once, and whatever is lost or sent again,
//! no more is answered than a cap has.

use std::collections::BTreeMap;
use std::thread::scope;

use anyhow::{Context, Result};
use selvedge_compiler::Compiled;
use selvedge_edge::preview::Preview;
use selvedge_tests::{Setup, Visitor, World, now_ms};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

const SECRET: &str = "only the deployment and the marketer know it";
/// How many ask at once.
const ASKERS: usize = 12;

/// The shop with two rules that are always true: `welcome` in the hero, twice a day, and `news` in the modal; of all that a
/// visitor is shown, three a day.
fn shop() -> Result<Compiled> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let rules = files.get_mut("rules.yaml").context("the shop has rules")?;
    rules.push_str(
        "
  - id: welcome
    show:
      slot: hero
      content: free_shipping_banner
    priority: 99
    cap: 2 per 24h
  - id: news
    show:
      slot: modal
      content: newsletter_modal
    priority: 98
",
    );
    rules.push_str("\ncaps: 3 per 24h\n");
    let checked = xtask::site::check(&files);
    checked.program.with_context(|| checked.report)
}

fn world() -> Result<World> {
    let bindings = [("PREVIEW_SECRET".to_owned(), SECRET.to_owned())].into();
    let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
    let shop = shop()?;
    world.publish_bytes(&shop.full_bytes, &shop.public_bytes)?;
    Ok(world)
}

/// The rules that an answer shows in hero and modal.
fn shown(answer: &Value) -> Vec<String> {
    let decisions = answer["decisions"].as_array().map_or(&[][..], Vec::as_slice);
    let rules = decisions.iter().filter_map(|decision| decision["rule"].as_str());
    rules.filter(|rule| ["welcome", "news"].contains(rule)).map(str::to_owned).collect()
}

fn count(answers: &[Vec<String>], rule: &str) -> usize {
    answers.iter().flatten().filter(|known| *known == rule).count()
}

/// What a server is told of a visitor.
fn ask(world: &World, seed: u64, more: &Value) -> Result<Value> {
    let mut question = json!({
        "visitor": Visitor::new(seed).id.to_string(),
        "consent": [{"granted": ["analytics", "personalization"], "mode": "opt-in", "policy_version": 1}],
    });
    for (name, value) in more.as_object().context("an object")? {
        question[name] = value.clone();
    }
    let key = format!("Bearer {}", world.server_key());
    let headers = [("authorization", key.as_str())];
    let answer = world.client().post("/v1/decide", &headers, question.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// What a page without an engine is told.
fn collect(world: &World, page: &Visitor, events: &[Value]) -> Result<Value> {
    let batch = page.batch(events).to_string();
    let answer = world.client().post("/v1/collect", &[], batch.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A page of a visitor: another tab for each `tab`.
fn page(seed: u64, tab: u64) -> Visitor {
    let mut page = Visitor::new(seed);
    page.writer = Visitor::new(1_000 + tab).writer;
    page
}

fn viewed(page: &mut Visitor) -> Value {
    let mut event = page.track("page", json!({"path": "/"}));
    event["type"] = json!("page");
    event
}

fn exposed(page: &mut Visitor, rule: &str, slot: &str) -> Value {
    let mut event = page.track("exposure", json!({"rule": rule, "slot": slot}));
    event["type"] = json!("exposure");
    event
}

/// What many are told at once.
fn at_once(tell: impl Fn(usize) -> Result<Value> + Sync) -> Result<Vec<Vec<String>>> {
    scope(|scope| {
        let tell = &tell;
        let asked: Vec<_> = (0..ASKERS).map(|at| scope.spawn(move || tell(at))).collect();
        let told = asked.into_iter().map(|one| one.join().expect("no panic"));
        told.map(|told| Ok(shown(&told?))).collect()
    })
}

#[test]
fn of_servers_that_ask_at_once_no_more_show_it_than_the_caps_have() -> Result<()> {
    let world = world()?;
    let answers = at_once(|_| ask(&world, 1, &json!({})))?;
    assert_eq!(
        (count(&answers, "welcome"), count(&answers, "news")),
        (2, 1),
        "two of the rule, three in all"
    );
    // Each visitor has caps of its own.
    let answers = at_once(|at| ask(&world, 100 + u64::try_from(at)?, &json!({})))?;
    assert_eq!((count(&answers, "welcome"), count(&answers, "news")), (ASKERS, ASKERS));
    Ok(())
}

#[test]
fn of_pages_without_an_engine_that_send_at_once_no_more_show_it_than_the_caps_have() -> Result<()> {
    let world = world()?;
    let answers = at_once(|at| {
        let mut page = page(2, u64::try_from(at)?);
        let view = viewed(&mut page);
        collect(&world, &page, &[view])
    })?;
    assert_eq!((count(&answers, "welcome"), count(&answers, "news")), (2, 1));
    Ok(())
}

#[test]
fn what_is_sent_again_is_answered_alike_and_what_was_seen_counts_once() -> Result<()> {
    let world = world()?;
    let mut first = page(3, 0);
    let view = viewed(&mut first);
    // The answers are lost: the page sends once more what it does not know to have arrived.
    for _ in 0..4 {
        assert_eq!(shown(&collect(&world, &first, std::slice::from_ref(&view))?), ["welcome", "news"]);
    }
    let named = json!({"render": "page-1"});
    for _ in 0..3 {
        assert_eq!(shown(&ask(&world, 3, &named)?), ["welcome"], "the third of all, again and again");
    }
    assert_eq!(shown(&ask(&world, 3, &json!({}))?), [""; 0]);
    let seen = [exposed(&mut first, "welcome", "hero"), exposed(&mut first, "news", "modal")];
    for _ in 0..2 {
        assert_eq!(shown(&collect(&world, &first, &seen)?), ["welcome", "news"], "it stands");
    }
    assert_eq!(shown(&ask(&world, 3, &json!({}))?), [""; 0], "two were seen, the third is still to be");
    Ok(())
}

#[test]
fn what_a_page_view_did_not_show_is_given_back_with_its_end() -> Result<()> {
    let world = world()?;
    let mut only = page(4, 0);
    for _ in 0..5 {
        let view = viewed(&mut only);
        let answer = collect(&world, &only, &[view])?;
        assert_eq!(shown(&answer), ["welcome", "news"]);
        assert_eq!(answer["granted"].as_array().map(Vec::len), Some(2), "{answer}");
    }
    let left = at_once(|_| ask(&world, 4, &json!({})))?;
    assert_eq!((count(&left, "welcome"), count(&left, "news")), (1, 0), "one of three is nobody's");
    Ok(())
}

#[test]
fn a_preview_takes_no_grant_and_no_batch_takes_a_preview() -> Result<()> {
    let world = world()?;
    let rules = vec!["*".to_owned()];
    let preview = Preview { site: "shop".into(), expires_ms: now_ms() + 60_000, variants: Vec::new(), rules };
    let token = json!({"preview": preview.sign(SECRET)});
    for _ in 0..4 {
        assert_eq!(shown(&ask(&world, 5, &token)?), ["welcome", "news"]);
    }
    assert_eq!(world.admin_get(&format!("/v1/visitors/{}", Visitor::new(5).id))?.status, 404);
    let mut batch = page(5, 0).batch(&[]);
    batch["preview"] = token["preview"].clone();
    let refused = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(refused.status, 400, "{}", refused.text());
    Ok(())
}

#[test]
fn grants_survive_a_power_cut_and_are_shared_with_pages_that_lease() -> Result<()> {
    let mut world = world()?;
    assert_eq!(shown(&ask(&world, 6, &json!({}))?), ["welcome", "news"]);
    world.kill9();
    world.restart()?;
    let mut page = page(6, 0);
    let view = viewed(&mut page);
    let mut batch = page.batch(&[view]);
    batch["program"] = json!("00000000000000000000000000000000");
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?.json()?;
    let grants = answer["grants"].as_array().context("grants")?;
    let hash = format!("{:016x}", selvedge_core::hash::fnv1a_64(b"welcome"));
    let of_rule = grants.iter().find(|grant| grant["rule"] == hash.as_str()).context("a grant")?;
    assert_eq!(of_rule["count"], 1, "the other one is the answer's: {grants:?}");
    assert_eq!(shown(&ask(&world, 6, &json!({}))?), [""; 0]);
    assert_eq!(shown(&ask(&world, 6, &json!({"claims": true}))?)[0], "welcome", "the page will take it");
    Ok(())
}
