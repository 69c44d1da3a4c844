//! Bad input: each with its own status or code, and nothing lost beside it.

use anyhow::Result;
use selvedge_core::value::Value as Property;
use selvedge_core::wire::batch::encode_batch;
use selvedge_tests::{Answer, Visitor, World, now_ms};
use serde_json::{Value, json};

/// What spoils a good event.
type Change = Box<dyn FnOnce(Value) -> Value>;

fn shoe(sku: &str) -> Value {
    json!({"category": "shoes", "sku": sku, "value": 129.95, "currency": "EUR"})
}

fn collect(world: &World, body: &[u8]) -> Result<Answer> {
    world.client().post("/v1/collect", &[], body)
}

fn collect_json(world: &World, batch: &Value) -> Result<Answer> {
    collect(world, batch.to_string().as_bytes())
}

fn error_code(answer: &Answer) -> Result<String> {
    let body = answer.json()?;
    let error = &body["error"];
    assert!(error["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "an error says how to fix it: {body}");
    Ok(error["code"].as_str().unwrap_or_default().to_string())
}

/// Sends `bad` between two good events and gives the code it is refused with; the good ones must arrive.
fn refused_beside_good(world: &World, seed: u64, bad: impl FnOnce(Value) -> Value) -> Result<String> {
    let mut visitor = Visitor::new(seed);
    let first = visitor.track("product_view", shoe("first"));
    let middle = bad(visitor.track("product_view", shoe("bad")));
    let last = visitor.track("product_view", shoe("last"));
    let answer = collect_json(world, &visitor.batch(&[first, middle, last]))?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json()?;
    assert_eq!(answer["accepted"], 2, "{answer}");
    let refused = answer["refused"].as_array().cloned().unwrap_or_default();
    assert_eq!(refused.len(), 1, "{answer}");
    let arrived = skus_of(world, &visitor)?;
    assert_eq!(arrived, ["first", "last"]);
    Ok(refused[0]["code"].as_str().unwrap_or_default().to_string())
}

fn skus_of(world: &World, visitor: &Visitor) -> Result<Vec<String>> {
    let id = visitor.id.to_string();
    let lines = world.log()?;
    let mine = lines.iter().filter(|line| line["visitor"] == id.as_str());
    Ok(mine.filter_map(|line| line["properties"]["sku"].as_str().map(str::to_string)).collect())
}

fn quarantined(world: &World, code: &str) -> Result<usize> {
    Ok(world.quarantine()?.iter().filter(|entry| entry["code"] == code).count())
}

fn refused_total(world: &World, code: &str) -> Result<u64> {
    let metrics = world.admin_get("/metrics")?.text();
    let label = format!("code=\"{code}\"");
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("selvedge_events_refused_total") && line.contains(&label));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}

#[test]
fn one_bad_event_never_spoils_its_batch_and_has_one_code() -> Result<()> {
    let world = World::start()?;
    let set = |path: &'static str, value: Value| {
        move |mut event: Value| {
            *event.pointer_mut(path).expect("the event has the place") = value;
            event
        }
    };
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let cases: Vec<(&str, Change)> = vec![
        ("unknown_event", Box::new(set("/name", json!("never_heard_of")))),
        ("wrong_type", Box::new(set("/properties/value", json!("a lot")))),
        ("required_missing", Box::new(set("/properties/category", Value::Null))),
        ("too_deep", Box::new(set("/properties/currency", deep))),
        ("too_large", Box::new(set("/properties/currency", json!("x".repeat(40_000))))),
        ("undecodable", Box::new(set("/type", json!("no such type")))),
    ];
    for (seed, (code, bad)) in (1u64..).zip(cases) {
        let before = refused_total(&world, code)?;
        assert_eq!(refused_beside_good(&world, seed, bad)?, code);
        assert_eq!(refused_total(&world, code)?, before + 1, "{code} is counted once");
        assert_eq!(quarantined(&world, code)?, 1, "{code} is kept");
    }
    Ok(())
}

#[test]
fn a_lone_surrogate_is_refused_and_its_neighbours_arrive() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(40);
    let events = [
        visitor.track("product_view", shoe("first")),
        visitor.track("product_view", shoe("MARK")),
        visitor.track("product_view", shoe("last")),
    ];
    let body = visitor.batch(&events).to_string().replace("MARK", "\\ud800");
    let answer = collect(&world, body.as_bytes())?.json()?;
    assert_eq!(answer["refused"][0]["code"], "invalid_text", "{answer}");
    assert_eq!(skus_of(&world, &visitor)?, ["first", "last"]);
    Ok(())
}

#[test]
fn a_number_that_is_none_is_refused_and_its_neighbours_arrive() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(41);
    let text = |text: &str| Property::Text(text.into());
    let double = |value: f64| Property::Number(selvedge_core::number::Number::Double(value.to_bits()));
    let view =
        |sku: &str, value: f64| [("category", text("shoes")), ("sku", text(sku)), ("value", double(value))];
    let events = [
        visitor.event("product_view", &view("first", 1.5)),
        visitor.event("product_view", &view("nan", f64::NAN)),
        visitor.event("product_view", &view("last", 2.5)),
    ];
    let answer = collect(&world, &encode_batch(&visitor.header(), &events.each_ref(), None))?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(skus_of(&world, &visitor)?, ["first", "last"]);
    assert_eq!(quarantined(&world, "not_finite")?, 1);
    Ok(())
}

#[test]
fn an_undecodable_event_inside_a_good_binary_batch_leaves_the_others() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(42);
    let sku =
        |text: &str| [("category", Property::Text("shoes".into())), ("sku", Property::Text(text.into()))];
    let events = [
        visitor.event("product_view", &sku("first")),
        visitor.event("product_view", &sku("to be broken")),
        visitor.event("product_view", &sku("last")),
    ];
    let mut bytes = encode_batch(&visitor.header(), &events.each_ref(), None);
    let at =
        bytes.windows(12).position(|window| window == b"to be broken").expect("the text stands in the bytes");
    // 0xff is never valid UTF-8.
    bytes[at] = 0xff;
    let answer = collect(&world, &bytes)?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(skus_of(&world, &visitor)?, ["first", "last"]);
    Ok(())
}

#[test]
fn unreadable_requests_get_a_status_and_change_nothing() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(43);
    let event = visitor.track("product_view", shoe("never"));
    let good = visitor.batch(&[event]);
    let with = |name: &str, value: Value| {
        let mut batch = good.clone();
        batch[name] = value;
        batch.to_string().into_bytes()
    };
    let binary = encode_batch(&visitor.header(), &[], None);
    let mut wrong_version = binary.clone();
    wrong_version[0] = 99;
    let truncated = binary[..binary.len() / 2].to_vec();
    let noise: Vec<u8> = (0..500u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (what, body, status) in [
        ("no bytes", Vec::new(), 400),
        ("half a batch", truncated, 400),
        ("noise", noise, 400),
        ("another version", wrong_version, 400),
        ("half a JSON", good.to_string().into_bytes()[..60].to_vec(), 400),
        ("an unknown key", with("write_key", json!("wk_nobody")), 401),
        ("too much", with("padding", json!("x".repeat(600_000))), 413),
    ] {
        let answer = collect(&world, &body)?;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        error_code(&answer)?;
    }
    assert!(world.log()?.is_empty(), "nothing of it was kept");
    assert_eq!(collect_json(&world, &good)?.status, 200, "and the worker goes on");
    Ok(())
}

#[test]
fn a_foreign_origin_is_refused_and_our_own_is_not() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(44);
    let event = visitor.track("product_view", shoe("origin"));
    let body = visitor.batch(&[event]).to_string().into_bytes();
    let foreign = world.client().post("/v1/collect", &[("origin", "https://evil.example")], &body)?;
    assert_eq!((foreign.status, error_code(&foreign)?.as_str()), (403, "origin_not_allowed"));
    let own = world.client().post("/v1/collect", &[("origin", &world.url())], &body)?;
    assert_eq!(own.status, 200, "{}", own.text());
    Ok(())
}

#[test]
fn a_deflate_bomb_is_refused_in_bounded_memory() -> Result<()> {
    let world = World::start()?;
    let mut body = vec![1, 1];
    body.extend(miniz_oxide::deflate::compress_to_vec(&vec![0; 512 << 20], 9));
    assert!(body.len() < 512 * 1024, "the bomb is small enough to be let in: {}", body.len());
    let before = world.worker_memory_kb()?;
    let answer = collect(&world, &body)?;
    assert_eq!(answer.status, 413, "{}", answer.text());
    let grown = world.worker_memory_kb()?.saturating_sub(before);
    assert!(grown < 64 * 1024, "the worker grew by {grown} kB");
    Ok(())
}

#[test]
fn a_clock_three_days_off_is_accepted_and_flagged() -> Result<()> {
    let world = World::start()?;
    for (seed, time) in [(45, now_ms() - 3 * 86_400_000), (46, now_ms() + 3 * 86_400_000)] {
        let mut visitor = Visitor::new(seed);
        let mut event = visitor.track("product_view", shoe("clock"));
        event["time"] = json!(time);
        let answer = collect_json(&world, &visitor.batch(&[event]))?.json()?;
        assert_eq!(answer["accepted"], 1, "{answer}");
        let lines = world.log()?;
        let line = lines
            .iter()
            .find(|line| line["visitor"] == visitor.id.to_string().as_str())
            .expect("it is in the log");
        assert_eq!(line["time_ms"], time, "the time stays as sent");
        assert_eq!(line["clock_off"], true);
    }
    Ok(())
}

#[test]
fn numbers_and_texts_arrive_exactly_as_sent() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(47);
    let properties = r#"{"category":"shoes","sku":"naïve 👟🏔️ \u0000 ẞ","largest":9223372036854775807,
        "beyond":18446744073709551615,"smallest":-9223372036854775808,"latitude":52.5200066,"tiny":5e-324,"negative":-0.1}"#;
    let event = visitor.track("product_view", serde_json::from_str(properties)?);
    let body = visitor.batch(&[event]).to_string();
    assert_eq!(collect(&world, body.as_bytes())?.json()?["accepted"], 1);
    let answer = world.admin_get("/v1/log?from=")?.text();
    for exact in [
        "9223372036854775807",
        "18446744073709551615",
        "-9223372036854775808",
        "52.5200066",
        "5e-324",
        "-0.1",
    ] {
        assert!(answer.contains(&format!(":{exact}")), "{exact} is not in {answer}");
    }
    let line: Value = serde_json::from_str(answer.lines().next().expect("one line"))?;
    assert_eq!(line["properties"]["sku"], "naïve 👟🏔️ \u{0} ẞ");
    Ok(())
}
