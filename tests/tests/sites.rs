//! What stands between sites, between origins, and between a worker that just began and its first callers.

use anyhow::{Context, Result};
use selvedge_tests::{Visitor, World};
use std::collections::BTreeMap;
use std::thread;

/// The shop under another name, with this browser key and this server secret.
fn other_site(browser_key: &str, server_secret: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop");
    let mut files = BTreeMap::new();
    for name in ["site.yaml", "tracking-plan.yaml", "rules.yaml", "content.yaml"] {
        files.insert(name.to_string(), std::fs::read_to_string(format!("{folder}/{name}"))?);
    }
    let site = files.get_mut("site.yaml").context("a site")?;
    *site = site
        .replace("name: shop", "name: other")
        .replace("wk_shop_browser", browser_key)
        .replace("SHOP_SERVER_KEY", server_secret);
    let program = selvedge_compiler::compile(&files).program.context("the other site compiles")?;
    Ok((program.full_bytes, program.public_bytes))
}

fn publish(world: &World, (full, public): &(Vec<u8>, Vec<u8>)) -> Result<(u16, String)> {
    let answer = world.admin_post("/v1/publish", &selvedge_edge::publish::pack(full, public))?;
    Ok((answer.status, answer.text()))
}

#[test]
fn a_key_or_a_secret_names_one_site() -> Result<()> {
    let world = World::start()?;
    for (key, secret) in [("wk_shop_browser", "OTHER_KEY"), ("wk_other", "SHOP_SERVER_KEY")] {
        let (status, text) = publish(&world, &other_site(key, secret)?)?;
        assert_eq!(status, 422, "{text}");
        assert!(text.contains("the site shop has the"), "{text}");
    }
    let (status, text) = publish(&world, &other_site("wk_other", "OTHER_KEY")?)?;
    assert_eq!(status, 200, "{text}");
    let mut visitor = Visitor::new(1);
    let event = visitor.track("search", serde_json::json!({"query": "boots"}));
    let mut batch = visitor.batch(&[event]);
    batch["write_key"] = "wk_other".into();
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let lines = |site: &str| -> Result<usize> {
        Ok(world.admin_get(&format!("/v1/log?site={site}"))?.json_lines()?.len())
    };
    assert_eq!((lines("shop")?, lines("other")?), (0, 1));
    Ok(())
}

#[test]
fn a_worker_that_just_began_answers_all_of_its_first_callers() -> Result<()> {
    let mut world = World::start()?;
    world.kill9();
    world.restart()?;
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask = || world.client().get("/s/shop/config", &[]).map_or(0, |answer| answer.status);
        let asked: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap_or(0)).collect()
    });
    assert_eq!(statuses, [200; 16]);
    Ok(())
}

#[test]
fn a_config_is_kept_by_the_browser_that_asked_alone() -> Result<()> {
    let world = World::start()?;
    let answer = world.client().get("/s/shop/config", &[("cf-ipcountry", "US")])?;
    assert_eq!(answer.json()?["consent"], "opt-out");
    assert_eq!(answer.header("cache-control"), Some("private, max-age=5"));
    Ok(())
}
