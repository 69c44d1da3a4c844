//! The examples over a real workerd: what their READMEs promise, event by event, in the answers and in the log. (The shop is
//! played in Chromium: tests/browser/hero.test.mjs, and its cart by deadlines.rs.)

use anyhow::Result;
use selvedge_tests::{Setup, Visitor, World};
use serde_json::{Value, json};

/// A Monday morning in March: the events say the time, so that a quarter of an hour takes none.
const BEGIN_MS: u64 = 1_772_438_400_000;

/// A visitor of an example, on the clock of the events.
struct Play {
    world: World,
    visitor: Visitor,
}

impl Play {
    fn of(example: &str) -> Result<Self> {
        let site = Some(format!("examples/{example}").into());
        Ok(Self { world: World::with(Setup { site, ..Setup::default() })?, visitor: Visitor::new(1) })
    }

    /// Sends an event of `source`, so many seconds after the beginning; what the slots show then.
    fn send(&mut self, at_s: u64, source: &str, name: &str, properties: Value) -> Result<Slots> {
        let time_ms = BEGIN_MS + at_s * 1_000;
        let mut event = self.visitor.track(name, properties);
        event["time"] = json!(time_ms);
        event["type"] = json!(if name == "page" { "page" } else { "track" });
        let mut batch = self.visitor.batch(&[event]);
        batch["write_key"] = json!(source);
        batch["clock"] = json!("event");
        batch["sent_at"] = json!(time_ms);
        batch["consent"]["time"] = json!(BEGIN_MS - 1_000);
        let answer = self.world.admin_post("/v1/collect", batch.to_string().as_bytes())?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json()?;
        assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(1), &json!([])), "{name}");
        Ok(Slots(answer["decisions"].clone()))
    }

    /// The messages in the log: to whom, and what.
    fn told(&self) -> Result<Vec<(String, String, Value)>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = self.world.log()?;
        let told = lines.iter().filter(|line| line["kind"] == "emit").map(|line| {
            let emit = &line["emit"];
            (text(&emit["to"]), text(&emit["message"]), emit["fields"].clone())
        });
        Ok(told.collect())
    }
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
