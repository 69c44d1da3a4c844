//! The examples over a real workerd: what their READMEs promise, event by event, in the answers, in the log and at the
//! receiver. (The shop's hero is played in Chromium besides: tests/browser/hero.test.mjs.)

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use selvedge_core::rules::bucket;
use selvedge_core::wire::program::Way;
use selvedge_tests::{Receiver, Reply, Setup, Visitor, World, compiled_shop, now_ms};
use serde_json::{Value, json};

/// A Monday morning in March: the events say the time, so that a quarter of an hour takes none.
const BEGIN_MS: u64 = 1_772_438_400_000;
const MINUTE_S: u64 = 60;
/// How long anything may take that is to happen.
const SOON: Duration = Duration::from_secs(30);

/// A visitor of an example, on the clock of the events.
struct Play {
    world: World,
    visitor: Visitor,
    begin_ms: u64,
}

impl Play {
    fn of(example: &str) -> Result<Self> {
        let site = Some(format!("examples/{example}").into());
        let world = World::with(Setup { site, ..Setup::default() })?;
        Ok(Self { world, visitor: Visitor::new(1), begin_ms: BEGIN_MS })
    }

    /// The shop as it is, but that its mail provider is this receiver. Of its catalog the jacket is on stock.
    fn of_shop(mail: &Receiver) -> Result<Self> {
        let bindings = BTreeMap::from([
            ("DEV_LOOPBACK".to_owned(), "1".to_owned()),
            ("EMAIL_SECRET".to_owned(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
        ]);
        let world = World::with(Setup { is_unpublished: true, bindings, ..Setup::default() })?;
        let shop = compiled_shop()?;
        let mut full = shop.full;
        let email = full.destinations.iter_mut().find(|destination| destination.name == "email");
        let Way::Http(http) = &mut email.context("the shop sends mail")?.way else {
            anyhow::bail!("the shop's mail leaves over HTTP");
        };
        http.url = mail.url();
        world.publish_bytes(&full.encode(), &shop.public_bytes)?;
        let catalog = "sku,stock,price\nNG-1,3,129.95\nNG-2,2,59\nNG-3,0,89\n";
        let pushed = world.admin_send("PUT", "/v1/lookups/shop/catalog", catalog.as_bytes())?;
        assert_eq!(pushed.status, 200, "{}", pushed.text());
        Ok(Self { world, visitor: reminded(0), begin_ms: BEGIN_MS })
    }

    /// From now on it is this visitor, whose first event was so long ago.
    fn begin(&mut self, visitor: Visitor, ago_s: u64) {
        (self.visitor, self.begin_ms) = (visitor, now_ms() - ago_s * 1_000);
    }

    /// Sends an event of `source`, so many seconds after the beginning; what the slots show then.
    fn send(&mut self, at_s: u64, source: &str, name: &str, properties: Value) -> Result<Slots> {
        let time_ms = self.begin_ms + at_s * 1_000;
        let mut event = self.visitor.track(name, properties);
        event["time"] = json!(time_ms);
        event["type"] = json!(if name == "page" { "page" } else { "track" });
        let mut batch = self.visitor.batch(&[event]);
        batch["write_key"] = json!(source);
        batch["clock"] = json!("event");
        batch["sent_at"] = json!(time_ms);
        batch["consent"]["time"] = json!(self.begin_ms - 1_000);
        let answer = self.world.admin_post("/v1/collect", batch.to_string().as_bytes())?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json()?;
        assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(1), &json!([])), "{name}");
        Ok(Slots(answer["decisions"].clone()))
    }

    /// The messages about the visitor in the log: to whom, and what.
    fn told(&self) -> Result<Vec<(String, String, Value)>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = self.world.log()?;
        let is_told =
            |line: &&Value| line["kind"] == "emit" && line["visitor"] == self.visitor.id.to_string();
        let told = lines.iter().filter(is_told).map(|line| {
            let emit = &line["emit"];
            (text(&emit["to"]), text(&emit["message"]), emit["fields"].clone())
        });
        Ok(told.collect())
    }

    /// To whom the visitor was told, once there are so many messages.
    fn wait_for_told(&self, count: usize) -> Result<Vec<(String, String)>> {
        let begun = Instant::now();
        loop {
            let told = self.told()?;
            if told.len() >= count || begun.elapsed() > SOON {
                return Ok(told.into_iter().map(|(to, message, _)| (to, message)).collect());
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The visitor of that number among those whom the shop reminds with an offer: neither the five of a hundred that are held
/// out, nor the ten that the experiment shows nothing.
fn reminded(number: usize) -> Visitor {
    let is_reminded = |visitor: &Visitor| {
        let id = visitor.id.to_string();
        bucket("global-2026", &id) >= 500 && bucket("cart-discount", &id) >= 1_000
    };
    (1..).map(Visitor::new).filter(is_reminded).nth(number).expect("most are")
}

/// The decisions of an answer.
struct Slots(Value);

impl Slots {
    fn of(&self, slot: &str) -> &Value {
        let decisions = self.0.as_array().map_or(&[][..], Vec::as_slice);
        decisions.iter().find(|decision| decision["slot"] == slot).unwrap_or(&Value::Null)
    }

    fn rule(&self, slot: &str) -> Option<&str> {
        self.of(slot)["rule"].as_str()
    }

    /// What is shown, as it stands in the answer.
    fn body(&self, slot: &str) -> String {
        self.of(slot)["body"].to_string()
    }
}

#[test]
fn a_ticket_pauses_the_offers_and_its_resolution_asks_how_it_was() -> Result<()> {
    let mut play = Play::of("support")?;
    play.send(0, "web", "page", json!({"path": "/"}))?;
    play.send(10, "web", "product_view", json!({"sku": "NG-1"}))?;
    let offered = play.send(20, "web", "product_view", json!({"sku": "NG-2"}))?;
    assert_eq!(offered.rule("hero"), Some("resole-offer"));

    let opened =
        play.send(30, "helpdesk", "ticket_opened", json!({"ticket_id": "T-1", "topic": "delivery"}))?;
    assert_eq!(opened.rule("hero"), None, "the offer goes at once");
    assert_eq!(opened.rule("inbox"), Some("we-are-on-it"));
    assert!(opened.body("inbox").contains("Your question about delivery"), "{}", opened.body("inbox"));

    play.send(60, "helpdesk", "ticket_resolved", json!({"ticket_id": "T-1"}))?;
    let soon = play.send(5 * 60, "web", "page", json!({"path": "/c/shoes"}))?;
    assert_eq!(soon.rule("inbox"), None, "not yet");
    let later = play.send(17 * 60, "web", "page", json!({"path": "/c/shoes"}))?;
    assert_eq!(later.rule("inbox"), Some("ticket-follow-up"));
    assert!(later.body("inbox").contains("/feedback/T-1"), "{}", later.body("inbox"));

    let late = play.send(18 * 60, "helpdesk", "delivery_delayed", json!({"order_id": "N-17"}))?;
    assert_eq!(late.rule("banner"), Some("delivery-delayed"));
    assert!(late.body("banner").contains("<strong>N-17</strong>"), "{}", late.body("banner"));
    Ok(())
}

#[test]
fn a_trial_takes_its_steps_and_sales_hear_of_it_once() -> Result<()> {
    let mut play = Play::of("saas")?;
    let step = |step: &str| json!({ "step": step });
    play.send(0, "app", "page", json!({"path": "/start"}))?;
    let begun = play.send(1, "billing", "trial_started", json!({"ends_at": "2026-03-16T00:00:00+01:00"}))?;
    assert_eq!(begun.rule("checklist"), Some("first-steps"));

    play.send(10, "app", "activation", step("create_project"))?;
    let halfway = play.send(20, "app", "page", json!({"path": "/start"}))?;
    assert_eq!(halfway.rule("checklist"), Some("half-way"));
    assert!(halfway.body("checklist").contains("4 to go"), "{}", halfway.body("checklist"));
    assert_eq!(play.told()?, []);

    play.send(30, "app", "demo_requested", json!({}))?;
    play.send(40, "app", "pricing_viewed", json!({"plan": "team"}))?;
    play.send(50, "app", "pricing_viewed", json!({"plan": "business"}))?;
    let told = play.told()?;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("crm", "enter"));
    assert_eq!(told[0].2["milestones"], 1);

    let day_s = 24 * 60 * 60;
    let ending = play.send(12 * day_s, "app", "page", json!({"path": "/week"}))?;
    assert_eq!(ending.rule("trial_bar"), Some("trial-ends-soon"));
    let paid = play.send(12 * day_s + 60, "billing", "subscribed", json!({"plan": "team"}))?;
    assert_eq!(paid.rule("trial_bar"), None, "nothing is left to remind of");
    let told = play.told()?;
    assert_eq!(told.last().map(|(to, message, _)| (to.as_str(), message.as_str())), Some(("crm", "exit")));
    Ok(())
}

/// A cart was left for eight minutes, on the clock of the events. What is told by mail and taken back reaches the provider;
/// who is about to buy gets no discount; who left is advertised to.
#[test]
fn a_cart_that_is_left_is_reminded_of_by_inbox_and_mail_and_a_purchase_takes_it_back() -> Result<()> {
    let mail = Receiver::start(|_| Reply::Status(200))?;
    let mut play = Play::of_shop(&mail)?;
    let jacket = || json!({"sku": "NG-1", "category": "jackets", "value": 129.95, "currency": "EUR"});
    let path = |path: &str| json!({ "path": path });
    let told = |to: &str, message: &str| (to.to_owned(), message.to_owned());

    play.begin(reminded(0), 10 * MINUTE_S);
    play.send(0, "web", "page", path("/c/jackets"))?;
    let added = play.send(20, "web", "add_to_cart", jacket())?;
    assert_eq!(added.rule("inbox"), None, "nobody has left yet");
    let back = play.send(9 * MINUTE_S, "web", "page", path("/c/shoes"))?;
    assert_eq!(back.rule("inbox"), Some("cart-reminder"));
    let offer = back.body("inbox");
    assert!(offer.contains("in your cart, until tonight"), "{offer}");
    let entered = &mail.wait_for(1, SOON)?[0];
    assert_eq!(
        (&entered["data"]["message"], &entered["data"]["rule"]),
        (&json!("enter"), &json!("cart-reminder"))
    );
    assert_eq!(entered["data"]["fields"]["last_cart_sku"], "NG-1", "{entered}");
    let bought = json!({"order_id": "N-1", "value": 129.95, "currency": "EUR"});
    let thanked = play.send(9 * MINUTE_S + 10, "web", "purchase", bought)?;
    assert_eq!(thanked.rule("inbox"), Some("thank-you-inbox"), "the reminder has gone");
    let left = &mail.wait_for(2, SOON)?[1];
    assert_eq!((&left["data"]["message"], &left["subject"]), (&json!("exit"), &entered["subject"]), "{left}");
    assert!(mail.received().iter().all(|request| !request.header("webhook-signature").is_empty()));
    assert_eq!(play.wait_for_told(2)?, [told("email", "enter"), told("email", "exit")]);

    play.begin(reminded(1), 10 * MINUTE_S);
    (1..=5).try_for_each(|second| play.send(second, "web", "add_to_cart", jacket()).map(drop))?;
    (6..=8).try_for_each(|second| play.send(second, "web", "shipping_details", json!({})).map(drop))?;
    let back = play.send(9 * MINUTE_S, "web", "page", path("/c/shoes"))?;
    assert_eq!(back.rule("inbox"), Some("cart-reminder-high-intent"));
    assert!(back.body("inbox").contains("still reserved"), "{}", back.body("inbox"));
    assert_eq!(play.told()?, [], "who buys anyway gets no mail");

    // Two leave, and come back when the session is over: its end told the advertiser of what there is enough of.
    for (number, sku) in [(2, "NG-2"), (3, "NG-1")] {
        play.begin(reminded(number), 40 * MINUTE_S);
        play.send(0, "web", "add_to_cart", json!({ "sku": sku }))?;
        play.send(35 * MINUTE_S, "web", "page", path("/c/shoes"))?;
    }
    let both = [told("email", "enter"), told("ads_retargeting", "enter")];
    assert_eq!(play.wait_for_told(2)?, both, "{}", play.world.worker_log());
    play.visitor = reminded(2);
    assert_eq!(play.wait_for_told(1)?, both[..1], "of two pieces none is advertised");
    Ok(())
}

/// The batch that a README's `send` posts, with the shell's parts filled in.
fn batch_of_readme(example: &str, name: &str, properties: &str) -> Result<Value> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example).join("README.md");
    let readme = std::fs::read_to_string(path)?;
    let (_, from) = readme.split_once("-d '").unwrap_or_default();
    let (body, _) = from.split_once("'; }").unwrap_or_default();
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now_s = since_1970.as_secs();
    let (second, millisecond) = (format!("{now_s}000000000"), format!("{now_s}000"));
    let filled = [
        ("'$V'", "00112233445566778899aabbccddeeff"),
        ("'$(date +%s%N)'", second.as_str()),
        ("'$(date +%s000)'", millisecond.as_str()),
        ("'$1'", name),
        ("'\"$2\"'", properties),
    ];
    let body = filled.iter().fold(body.to_owned(), |body, (part, value)| body.replace(part, value));
    Ok(serde_json::from_str(&body)?)
}

#[test]
fn what_the_readmes_send_is_accepted() -> Result<()> {
    for (example, source, name, properties) in [
        ("support", "helpdesk", "ticket_opened", r#"{"ticket_id": "T-1", "topic": "delivery"}"#),
        ("saas", "billing", "trial_started", r#"{"ends_at": "2026-03-16T00:00:00+01:00"}"#),
    ] {
        let play = Play::of(example)?;
        let mut batch = batch_of_readme(example, name, properties)?;
        batch["write_key"] = json!(source);
        let answer = play.world.admin_post("/v1/collect", batch.to_string().as_bytes())?.json()?;
        assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(1), &json!([])), "{example}: {answer}");
    }
    Ok(())
}
