//! Preview tokens over a real workerd: their holder sees drafts and drawn variants and is told why; nobody else sees a thing.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Parser;
use selvedge_cli::arguments::{Arguments, Command};
use selvedge_cli::command::publish::{in_force, publish};
use selvedge_cli::remote::{Remote, RemoteArguments};
use selvedge_compiler::{Compiled, Severity, compile_beside};
use selvedge_edge::preview::Preview;
use selvedge_tests::{Setup, Visitor, World, compiled_shop, now_ms};
use serde_json::{Value, json};
use xtask::repo::Repo;
use xtask::site::Site;

const SECRET: &str = "only the deployment and the marketer know it";

fn world(secret: Option<&str>) -> Result<World> {
    let secret = secret.map(|secret| ("PREVIEW_SECRET".to_owned(), secret.to_owned()));
    World::with(Setup { bindings: secret.into_iter().collect(), ..Setup::default() })
}

/// The token that the command line makes.
fn token(words: &[&str]) -> Result<String> {
    let shop = Repo::find()?.path("examples/shop");
    let shop = shop.to_str().context("a path")?;
    let start = ["selvedge", "preview", shop, "--secret", SECRET];
    let Command::Preview(arguments) = Arguments::try_parse_from(start.iter().chain(words))?.command else {
        anyhow::bail!("another command");
    };
    selvedge_cli::command::preview::token(&arguments, &compiled_shop()?.full, now_ms())
}

/// What a server is told of a visitor on the page of a summer campaign.
fn ask(world: &World, preview: Option<&str>) -> Result<Value> {
    let mut question = json!({
        "visitor": Visitor::new(3).id.to_string(),
        "context": {"utm.campaign": "summer-boots", "page.path": "/promo/summer", "utm.medium": "cpc"},
        "consent": [{"granted": ["analytics", "personalization"], "mode": "opt-in", "policy_version": 1}],
    });
    if let Some(token) = preview {
        question["preview"] = json!(token);
    }
    let key = format!("Bearer {}", world.server_key());
    let headers = [("authorization", key.as_str())];
    let answer = world.client().post("/v1/decide", &headers, question.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn rule_in<'a>(answer: &'a Value, slot: &str) -> &'a Value {
    let decisions = answer["decisions"].as_array().map_or(&[][..], Vec::as_slice);
    let found = decisions.iter().find(|decision| decision["slot"] == slot);
    found.map_or(&Value::Null, |decision| &decision["rule"])
}

#[test]
fn a_token_shows_drafts_and_stopped_rules_and_says_why_and_nobody_else_sees_them() -> Result<()> {
    let world = world(Some(SECRET))?;
    let paused = world.admin_post("/v1/pause", br#"{"rule":"summer-sale-modal"}"#)?;
    assert_eq!(paused.status, 200, "{}", paused.text());
    let before = ask(&world, None)?;
    assert_eq!((rule_in(&before, "modal"), &before["preview"]), (&Value::Null, &Value::Null));
    let token = token(&["--rule", "summer-sale-modal"])?;
    let seen = ask(&world, Some(&token))?;
    assert_eq!(rule_in(&seen, "modal"), "summer-sale-modal", "{seen:#}");
    let rules = seen["preview"]["rules"].as_array().context("reasons")?;
    let hero = rules.iter().find(|rule| rule["rule"] == "free-shipping-hero").context("the hero rule")?;
    assert_eq!((&hero["reason"], &hero["misses"]), (&json!("false"), &json!(1)), "{hero:#}");
    let tests = hero["tests"].as_array().context("tests")?;
    let views = tests.iter().find(|test| test["test"] == "shoe_views >= 2").context("the count")?;
    assert_eq!(
        (&views["value"], &views["holds"], &views["file"]),
        (&json!(0), &json!(false), &json!("rules.yaml"))
    );
    assert!(views["line"].as_u64() > Some(1) && views["column"].as_u64() > Some(1), "{views}");
    let medium = tests.iter().find(|test| test["value"] == "cpc").context("the campaign")?;
    assert_eq!(medium["holds"], true);
    let nearest = seen["preview"]["nearest"].as_array().context("nearest")?;
    assert!(nearest.iter().any(|miss| miss["slot"] == "hero" && miss["misses"] == 1), "{nearest:?}");
    let after = ask(&world, None)?;
    assert_eq!(after["decisions"], before["decisions"], "a preview changes nothing for others");
    assert_eq!(world.log()?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn a_token_draws_a_variant() -> Result<()> {
    let world = world(Some(SECRET))?;
    // Eight minutes are long for a test.
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let rules = files.get_mut("rules.yaml").context("rules")?;
    *rules = rules.replace("within 8m", "within 1s");
    let hasty = selvedge_compiler::compile(&files).program.context("it compiles")?;
    world.publish_bytes(&hasty.full_bytes, &hasty.public_bytes)?;
    let rows = b"sku,stock,price\nNG-1,5,129.95\n";
    let pushed = world.admin_send("PUT", "/v1/lookups/shop/catalog", rows)?;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    let mut visitor = Visitor::new(3);
    let mut leave_a_cart = || -> Result<()> {
        let cart = visitor.track("add_to_cart", json!({"sku": "NG-1"}));
        let answer =
            world.client().post("/v1/collect", &[], visitor.batch(&[cart]).to_string().as_bytes())?;
        assert_eq!(answer.json()?["accepted"], 1, "{}", answer.text());
        Ok(())
    };
    let contents = |variant: &str| -> Result<(Value, Value)> {
        let seen = ask(&world, Some(&token(&["--variant", &format!("cart-discount/{variant}")])?))?;
        let decisions = seen["decisions"].as_array().context("decisions")?.clone();
        let inbox = decisions.into_iter().find(|decision| decision["slot"] == "inbox").context("an inbox")?;
        Ok((inbox["rule"].clone(), inbox["content"].clone()))
    };
    // A publish and a push decide within five seconds; a cart that was left before that counts by the eight minutes.
    for _ in 0..5 {
        leave_a_cart()?;
        let begun = std::time::Instant::now();
        while contents("ten_percent")?.0.is_null() && begun.elapsed() < std::time::Duration::from_secs(3) {
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        if !contents("ten_percent")?.0.is_null() {
            break;
        }
    }
    for (variant, content) in
        [("ten_percent", "cart_reminder_10_percent"), ("free_shipping", "cart_reminder_free_shipping")]
    {
        assert_eq!(contents(variant)?, (json!("cart-reminder"), json!(content)), "{variant}");
    }
    assert_eq!(contents("control")?.1, json!("inbox_empty"), "a control holds the slot");
    Ok(())
}

#[test]
fn a_token_that_is_not_valid_shows_what_everybody_sees_and_says_so() -> Result<()> {
    let world = world(Some(SECRET))?;
    let everybody = ask(&world, None)?["decisions"].clone();
    let now_ms = now_ms();
    let preview = |site: &str, expires_ms: u64, secret: &str| {
        let rules = vec!["*".to_owned()];
        Preview { site: site.to_owned(), expires_ms, variants: Vec::new(), rules }.sign(secret)
    };
    for (token, refused) in [
        (preview("shop", now_ms - 1, SECRET), "expired"),
        (preview("shop", now_ms + 60_000, "guessed"), "signature"),
        (preview("other", now_ms + 60_000, SECRET), "another_site"),
        ("nonsense".to_owned(), "unreadable"),
    ] {
        let seen = ask(&world, Some(&token))?;
        assert_eq!((&seen["preview"]["refused"], &seen["decisions"]), (&json!(refused), &everybody));
        assert_eq!(seen["preview"]["rules"], json!([]), "{refused}: it is told nothing");
    }
    let closed = self::world(None)?;
    let seen = ask(&closed, Some(&preview("shop", now_ms + 60_000, "")))?;
    assert_eq!((&seen["preview"]["refused"], rule_in(&seen, "modal")), (&json!("no_secret"), &Value::Null));
    assert!(token(&["--variant", "cart-discount/nothing"]).is_err());
    assert!(token(&["--rule", "nobody"]).is_err());
    Ok(())
}

/// The shop with a metric of all time, which it had not.
fn shop_with(warm_up: &str) -> Result<(BTreeMap<String, String>, Option<Compiled>)> {
    let mut files: BTreeMap<String, String> = Site::at(Repo::find()?.path("examples/shop"))?.read()?;
    let rules = files.get_mut("rules.yaml").context("rules")?;
    let metric = format!("  spend_30d:\n    measure: sum purchase.value in ever\n{warm_up}");
    *rules = rules.replacen("  spend_30d: sum purchase.value in 30d\n", &metric, 1);
    let compiled = selvedge_compiler::compile(&files).program;
    Ok((files, compiled))
}

#[test]
fn publish_compares_with_the_program_in_force() -> Result<()> {
    let world = world(None)?;
    let remote = RemoteArguments { url: world.url(), token: world.admin_token().to_owned() };
    let remote = Remote::new(&remote);
    let older = in_force(&remote, "shop")?.context("a program is in force")?;
    assert_eq!(older, compiled_shop()?.full);
    assert!(in_force(&remote, "nobody")?.is_none());
    let (files, cold) = shop_with("")?;
    let found = compile_beside(&files, Some(&older)).diagnostics;
    let errors: Vec<String> = found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| found.code.to_string())
        .collect();
    assert_eq!(errors, ["E0420"]);
    let folder = tempfile::tempdir()?;
    for (name, text) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        std::fs::write(path, text)?;
    }
    let run = |words: &[&str]| -> Result<u64> {
        let url = world.url();
        let path = folder.path().to_str().context("a path")?;
        let start = ["selvedge", "publish", path, "--url", &url, "--token", world.admin_token()];
        let parsed = Arguments::try_parse_from(start.iter().chain(words))?.command;
        let Command::Publish(arguments) = parsed else { anyhow::bail!("another command") };
        selvedge_cli::command::publish::run(&arguments)?;
        let newest = world.admin_get("/v1/programs?site=shop")?.json()?;
        newest[0]["publish"].as_u64().context("a publish")
    };
    assert_eq!(run(&[])?, 1, "it would never be known");
    assert_eq!(run(&["--force"])?, 2);
    publish(&remote, &compiled_shop()?)?;
    let (files, warm) = shop_with("    warm_up: zero\n")?;
    std::fs::write(folder.path().join("rules.yaml"), &files["rules.yaml"])?;
    assert_eq!(run(&[])?, 4);
    assert!(cold.is_some() && warm.is_some());
    Ok(())
}
