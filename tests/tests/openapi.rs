//! docs/openapi.yaml against the running worker: every route is asked, every answer must be one that the document
//! describes, and every status that a request can provoke is provoked.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use selvedge_core::consent::Purposes;
use selvedge_core::wire::batch::encode_batch;
use selvedge_core::wire::program::{Destination, Full, Http, HttpFormat, OnUnknown, Records, Requires, Way};
use selvedge_tests::{Answer, Visitor, World, compiled_shop, compiled_shop_as};
use serde_json::{Value, json};

/// Statuses that a healthy worker does not give; the tests of panics and of limits meet them.
const NOT_PROVOKED: [&str; 1] = ["503"];

struct Document {
    root: Value,
    met: BTreeSet<(String, String, String)>,
}

impl Document {
    fn read() -> Result<Document> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.yaml");
        let root = serde_saphyr::from_str(&fs::read_to_string(file)?).context("docs/openapi.yaml")?;
        Ok(Document { root, met: BTreeSet::new() })
    }

    /// Follows a `$ref` of the document.
    fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let reference = node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        reference.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(node)
    }

    /// The answer must be described: its status, its content type, and its body by the schema.
    fn check(&mut self, method: &str, path: &str, answer: &Answer) -> Result<()> {
        let status = answer.status.to_string();
        let what = format!("{method} {path} {status}");
        let operation = &self.root["paths"][path][method];
        let response = self.resolve(&operation["responses"][status.as_str()]);
        assert!(response.is_object(), "{what} is not described: {}", answer.text());
        let content = response["content"].as_object();
        if let Some(content) = content {
            let given = answer.header("content-type").unwrap_or_default();
            let media = given.split(';').next().unwrap_or_default();
            let schema = content.get(media).map(|media| &media["schema"]);
            let schema = schema.with_context(|| format!("{what}: {given} is not described"))?;
            for body in bodies(media, answer)? {
                self.validate(&what, schema, &body)?;
            }
        }
        for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            // A header that depends on the page's origin is there only for a listed one.
            let is_given = answer.header(name).is_some() || name == "access-control-allow-origin";
            assert!(is_given, "{what} has no {name}");
        }
        self.met.insert((path.into(), method.into(), status));
        Ok(())
    }

    fn validate(&self, what: &str, schema: &Value, body: &Value) -> Result<()> {
        let mut schema = schema.clone();
        schema["components"] = self.root["components"].clone();
        let validator =
            jsonschema::draft202012::new(&schema).map_err(|fault| anyhow::anyhow!("{what}: {fault}"))?;
        let faults: Vec<String> = validator
            .iter_errors(body)
            .map(|fault| format!("{} at {}", fault, fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{body:#}");
        Ok(())
    }

    /// What the document describes and nobody met.
    fn not_met(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (path, item) in self.root["paths"].as_object().into_iter().flatten() {
            for method in ["get", "post", "put", "patch", "delete", "options"] {
                let responses = item[method]["responses"].as_object();
                for status in responses.into_iter().flat_map(|responses| responses.keys()) {
                    let key = (path.clone(), method.to_string(), status.clone());
                    if !NOT_PROVOKED.contains(&status.as_str()) && !self.met.contains(&key) {
                        missing.push(format!("{method} {path} {status}"));
                    }
                }
            }
        }
        missing
    }
}

fn bodies(media: &str, answer: &Answer) -> Result<Vec<Value>> {
    match media {
        "application/json" => Ok(vec![answer.json()?]),
        "application/x-ndjson" => answer.json_lines(),
        _ => Ok(Vec::new()),
    }
}

#[test]
fn the_examples_of_the_document_are_of_its_schemas() -> Result<()> {
    let document = Document::read()?;
    let mut checked = 0;
    for (path, item) in document.root["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let request = operation["requestBody"]["content"].as_object();
            let responses =
                operation["responses"].as_object().into_iter().flat_map(|responses| responses.values());
            let answers = responses.filter_map(|response| document.resolve(response)["content"].as_object());
            for media in request.into_iter().chain(answers).flat_map(|content| content.values()) {
                for example in
                    media["examples"].as_object().into_iter().flat_map(|examples| examples.values())
                {
                    let value = &document.resolve(example)["value"];
                    document.validate(&format!("an example of {method} {path}"), &media["schema"], value)?;
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 8, "only {checked} examples were found");
    Ok(())
}

#[test]
fn every_answer_of_the_worker_is_described_and_everything_described_is_met() -> Result<()> {
    let mut document = Document::read()?;
    let world = World::start()?;
    let ask = Ask { world: &world };
    for (method, path, answer) in exchanges(&ask)? {
        document.check(method, path, &answer)?;
    }
    let missing = document.not_met();
    assert!(missing.is_empty(), "described, but never met: {missing:#?}");
    Ok(())
}

struct Ask<'a> {
    world: &'a World,
}

impl Ask<'_> {
    fn get(&self, path: &str) -> Result<Answer> {
        self.world.client().get(path, &[])
    }

    fn admin(&self, path: &str) -> Result<Answer> {
        self.world.admin_get(path)
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        self.world.client().post(path, headers, body)
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        self.world.client().send(method, path, &[], body)
    }
}

type Exchange = (&'static str, &'static str, Answer);

fn exchanges(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let mut all = collect(ask)?;
    all.extend(decide(ask)?);
    all.extend(reads(ask)?);
    all.extend(quarantine(ask)?);
    all.extend(publish(ask)?);
    all.extend(orders(ask)?);
    all.extend(lookups(ask)?);
    all.extend(destinations(ask)?);
    all.extend(erase(ask)?);
    all.extend(second_site(ask)?);
    Ok(all)
}

fn collect(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let path = "/v1/collect";
    let mut visitor = Visitor::new(1);
    let view = visitor.track("product_view", json!({"category": "shoes", "sku": "NG-1"}));
    let unknown = visitor.track("never_heard_of", json!({}));
    let batch = visitor.batch(&[view, unknown]).to_string().into_bytes();
    let mut other_key = visitor.batch(&[]);
    other_key["write_key"] = json!("wk_nobody");
    let origin = [("origin", "https://elsewhere.example")];
    let large = vec![b' '; 530 * 1024];
    Ok(vec![
        ("post", path, ask.post(path, &[], &batch)?),
        ("post", path, ask.post(path, &[], &encode_batch(&visitor.header(), &[], None))?),
        ("post", path, ask.post(path, &[], b"{")?),
        ("post", path, ask.post(path, &[], other_key.to_string().as_bytes())?),
        ("post", path, ask.post(path, &origin, &batch)?),
        ("post", path, ask.post(path, &[], &large)?),
        ("options", path, ask.world.client().options(path, &origin)?),
    ])
}

fn decide(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let path = "/v1/decide";
    let question = json!({"visitor": Visitor::new(1).id.to_string(), "slots": ["hero"], "context": {"utm.medium": "cpc"}});
    let of_visitor = json!({"visitor": Visitor::new(1).id.to_string(), "country": "AT", "gpc": true});
    let previewed = json!({"visitor": Visitor::new(1).id.to_string(), "preview": "none"});
    let key = format!("Bearer {}", ask.world.server_key());
    let key = [("authorization", key.as_str())];
    Ok(vec![
        ("post", path, ask.post(path, &key, question.to_string().as_bytes())?),
        ("post", path, ask.post(path, &key, of_visitor.to_string().as_bytes())?),
        ("post", path, ask.post(path, &key, previewed.to_string().as_bytes())?),
        ("post", path, ask.post(path, &key, b"{")?),
        ("post", path, ask.post(path, &[], question.to_string().as_bytes())?),
        ("post", path, ask.post(path, &key, &vec![b' '; 530 * 1024])?),
    ])
}

fn reads(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let visitor = Visitor::new(1).id;
    let program = &ask.world.published().program;
    let id = "/v1/visitors/{id}";
    let config = "/s/{site}/config";
    let by_hash = "/s/{site}/program/{hash}";
    let full = "/v1/programs/{hash}";
    let zeros = "0".repeat(32);
    let mut all = vec![
        ("get", id, ask.admin(&format!("/v1/visitors/{visitor}"))?),
        ("get", id, ask.admin("/v1/visitors/no-id")?),
        ("get", id, ask.get(&format!("/v1/visitors/{visitor}"))?),
        ("get", id, ask.admin(&format!("/v1/visitors/{zeros}"))?),
        ("get", config, ask.get("/s/shop/config")?),
        ("get", config, ask.get("/s/nobody/config")?),
        ("get", by_hash, ask.get(&format!("/s/shop/program/{program}"))?),
        ("get", by_hash, ask.get("/s/shop/program/no-hash")?),
        ("get", by_hash, ask.get(&format!("/s/shop/program/{zeros}"))?),
        ("get", "/metrics", ask.admin("/metrics")?),
        ("get", "/metrics", ask.get("/metrics")?),
        ("get", "/health", ask.get("/health")?),
        ("get", "/.well-known/gpc.json", ask.get("/.well-known/gpc.json")?),
        ("get", "/v1/programs", ask.admin("/v1/programs")?),
        ("get", "/v1/programs", ask.get("/v1/programs")?),
        ("get", full, ask.admin(&format!("/v1/programs/{program}"))?),
        ("get", full, ask.admin("/v1/programs/no-hash")?),
        ("get", full, ask.get(&format!("/v1/programs/{program}"))?),
        ("get", full, ask.admin(&format!("/v1/programs/{zeros}"))?),
    ];
    for path in ["/v1/log", "/v1/quarantine"] {
        let lines = ask.admin(path)?;
        assert!(!lines.json_lines()?.is_empty(), "{path} has lines to judge");
        all.push(("get", path, lines));
        all.push(("get", path, ask.admin(&format!("{path}?from=nonsense"))?));
        all.push(("get", path, ask.get(path)?));
    }
    Ok(all)
}

fn quarantine(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let (entry, groups) = ("/v1/quarantine/{entry}", "/v1/quarantine/groups");
    let listed = ask.admin("/v1/quarantine")?.json_lines()?;
    let name = listed[0]["entry"].as_str().context("the quarantine names its entries")?.to_string();
    let mut all = vec![
        ("get", entry, ask.admin(&format!("/v1/quarantine/{name}"))?),
        ("get", entry, ask.admin("/v1/quarantine/no-name")?),
        ("get", entry, ask.get(&format!("/v1/quarantine/{name}"))?),
        ("get", entry, ask.admin("/v1/quarantine/0.99999")?),
        ("get", groups, ask.admin(groups)?),
        ("get", groups, ask.admin(&format!("{groups}?since=nonsense"))?),
        ("get", groups, ask.get(groups)?),
    ];
    for path in ["/v1/quarantine/replay", "/v1/quarantine/drop"] {
        let order = json!({"entries": [&name]}).to_string().into_bytes();
        all.push(("post", path, ask.world.admin_post(path, b"{}")?));
        all.push(("post", path, ask.post(path, &[], &order)?));
        all.push(("post", path, ask.world.admin_post(path, &vec![b' '; 530 * 1024])?));
        all.push(("post", path, ask.world.admin_post(path, &order)?));
    }
    Ok(all)
}

fn publish(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let path = "/v1/publish";
    let shop = compiled_shop()?;
    let body = selvedge_edge::publish::pack(&shop.full_bytes, &shop.public_bytes);
    Ok(vec![
        ("post", path, ask.world.admin_post(path, &body)?),
        ("post", path, ask.world.admin_post(path, b"not a program")?),
        ("post", path, ask.post(path, &[], &body)?),
        ("post", path, ask.world.admin_post(path, &vec![0; 9 << 20])?),
    ])
}

/// A rule is stopped and let go; there is nothing to roll back to, and then there is.
fn orders(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let (pause, rollback) = ("/v1/pause", "/v1/rollback");
    let rule = "free-shipping-hero";
    let stopped = ask.world.admin_post(pause, json!({"rule": rule}).to_string().as_bytes())?;
    assert_eq!(stopped.json()?["paused"], json!([rule]));
    let config = ask.get("/s/shop/config")?;
    assert_eq!(config.json()?["paused"].as_array().map(Vec::len), Some(1));
    let again = ask.world.admin_post(pause, br#"{"all":true,"resume":true}"#)?;
    assert_eq!(again.json()?["paused"], json!(null));
    let nowhere = ask.world.admin_post(rollback, b"")?;
    let other = compiled_shop_as(|site| site.replace("late_events: 30s", "late_events: 20s"))?;
    let before = ask.world.published().program.clone();
    ask.world.publish_bytes(&other.full_bytes, &other.public_bytes)?;
    let back = ask.world.admin_post(rollback, b"")?;
    assert_eq!((&back.json()?["publish"], &back.json()?["program"]), (&json!(3), &json!(before)));
    Ok(vec![
        ("post", pause, stopped),
        ("get", "/s/{site}/config", config),
        ("post", pause, again),
        ("post", pause, ask.world.admin_post(pause, br#"{"rule":"nobody"}"#)?),
        ("post", pause, ask.world.admin_post(pause, b"{}")?),
        ("post", pause, ask.post(pause, &[], b"{}")?),
        ("post", rollback, nowhere),
        ("post", rollback, back),
        ("post", rollback, ask.world.admin_post(rollback, b"3")?),
        ("post", rollback, ask.post(rollback, &[], b"")?),
    ])
}

/// The catalog of the shop is pushed, changed, read, and refused.
fn lookups(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let (all, one, row) =
        ("/v1/lookups/{site}", "/v1/lookups/{site}/{name}", "/v1/lookups/{site}/{name}/{key}");
    let (catalog, nobody) = ("/v1/lookups/shop/catalog", "/v1/lookups/shop/nobody");
    let csv = b"sku,stock,price\nNG-1,3,129.95\nNG-2,0,59\n";
    let large = vec![b' '; 3 << 20];
    let push = |method: &str, path: &str, body: &[u8]| ask.world.admin_send(method, path, body);
    let mut exchanges = vec![
        ("get", one, ask.admin(catalog)?),
        ("put", one, push("PUT", catalog, csv)?),
        ("patch", one, push("PATCH", catalog, b"{\"sku\":\"NG-1\",\"stock\":0}")?),
        ("get", one, ask.admin(catalog)?),
        ("get", one, ask.admin(&format!("{catalog}?version=none"))?),
        ("get", one, ask.get(catalog)?),
        ("get", all, ask.admin("/v1/lookups/shop")?),
        ("get", all, ask.admin("/v1/lookups/nobody")?),
        ("get", all, ask.get("/v1/lookups/shop")?),
        ("delete", row, push("DELETE", &format!("{catalog}/NG-2"), b"")?),
        ("delete", row, push("DELETE", &format!("{nobody}/NG-2"), b"")?),
        ("delete", row, ask.send("DELETE", &format!("{catalog}/NG-2"), b"")?),
    ];
    for (method, name) in [("PUT", "put"), ("PATCH", "patch")] {
        exchanges.push((name, one, push(method, catalog, b"sku,stock,price\nNG-1,many,1\n")?));
        exchanges.push((name, one, push(method, catalog, &large)?));
        exchanges.push((name, one, push(method, nobody, csv)?));
        exchanges.push((name, one, ask.send(method, catalog, csv)?));
    }
    Ok(exchanges)
}

/// A visitor is erased, and the log tells of it.
fn erase(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let path = "/v1/erase";
    let order = json!({"visitor": Visitor::new(9).id.to_string()}).to_string().into_bytes();
    let erased = ask.world.admin_post(path, &order)?;
    assert_eq!(erased.json()?["was_known"], true, "{}", erased.text());
    let lines = ask.admin(&format!("/v1/log?visitor={}", Visitor::new(9).id))?;
    assert_eq!(lines.json_lines()?.len(), 1, "{}", lines.text());
    Ok(vec![
        ("post", path, erased),
        ("post", path, ask.world.admin_post(path, b"{}")?),
        ("post", path, ask.post(path, &[], &order)?),
        ("post", path, ask.world.admin_post(path, &vec![b' '; 8 << 10])?),
        ("get", "/v1/log", lines),
        ("get", "/v1/log", ask.admin("/v1/log?visitor=nobody")?),
    ])
}

/// A destination is named, stops and goes on; nobody answers at its address.
fn destinations(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let (all, pause, resume) =
        ("/v1/destinations", "/v1/destinations/{name}/pause", "/v1/destinations/{name}/resume");
    let shop = compiled_shop()?;
    let mut full = shop.full;
    let way = Way::Http(Http {
        url: "https://hooks.invalid/in".into(),
        format: HttpFormat::CloudEventsBatch,
        secrets: Vec::new(),
        headers: Vec::new(),
    });
    let when_full = Full::Block;
    full.destinations = vec![Destination {
        name: "hook".into(),
        way,
        purposes: Purposes::ANALYTICS,
        requires: Requires::All,
        on_unknown: OnUnknown::Drop,
        records: Records::ALL,
        filter: None,
        sample: 10_000,
        remove: Vec::new(),
        rename: Vec::new(),
        when_full,
        age_ms_max: 60_000,
        bytes_max: 1_000_000,
    }];
    ask.world.publish_bytes(&full.encode(), &shop.public_bytes)?;
    let mut visitor = Visitor::new(9);
    let view = visitor.track("product_view", json!({"category": "shoes", "sku": "NG-1"}));
    ask.post("/v1/collect", &[], visitor.batch(&[view]).to_string().as_bytes())?;
    let listed = ask.admin(all)?;
    assert_eq!(hook(&listed.json()?)["accepted"], 1);
    let mut exchanges = vec![("get", all, listed), ("get", all, ask.get(all)?)];
    exchanges.push(("get", all, ask.admin("/v1/destinations?site=nobody")?));
    for (path, order) in [(pause, "pause"), (resume, "resume")] {
        let of = |name: &str| format!("/v1/destinations/{name}/{order}");
        let ordered = ask.world.admin_post(&of("hook"), b"")?;
        let is_paused = hook(&ordered.json()?)["state"] == "paused";
        assert_eq!(is_paused, order == "pause", "{}", ordered.text());
        exchanges.push(("post", path, ordered));
        exchanges.push(("post", path, ask.world.admin_post(&of("nobody"), b"")?));
        exchanges.push(("post", path, ask.post(&of("hook"), &[], b"")?));
    }
    Ok(exchanges)
}

/// With a second site, which lists an origin, a site must be named.
fn second_site(ask: &Ask<'_>) -> Result<Vec<Exchange>> {
    let listed = "https://listed.example";
    let other = compiled_shop_as(|site| {
        let named = site
            .replace("name: shop", "name: other")
            .replace("wk_shop", "wk_other")
            .replace("SHOP_SERVER", "OTHER_SERVER");
        format!("{named}\norigins:\n  - {listed}\n")
    })?;
    ask.world.publish_bytes(&other.full_bytes, &other.public_bytes)?;
    let preflight = ask.world.client().options("/v1/collect", &[("origin", listed)])?;
    Ok(vec![("options", "/v1/collect", preflight), ("get", "/v1/programs", ask.admin("/v1/programs")?)])
}

/// The destination of that name: those of the shop before stand beside it, as gone.
fn hook(answer: &Value) -> Value {
    let mut all = answer["destinations"].as_array().into_iter().flatten();
    all.find(|destination| destination["name"] == "hook").cloned().unwrap_or_default()
}
