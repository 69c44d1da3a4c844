//! A visitor who does a bit of everything, at random but always the same: batches for the JSON form of collect.

use selvedge_core::id::WriterId;
use serde_json::{Value, json};

const BATCHES: usize = 120;
const START_MS: u64 = 1_767_600_000_000;
const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const CATEGORIES: [&str; 4] = ["shoes", "shoes", "hats", "packs"];
const PATHS: [&str; 3] = ["/", "/c/shoes", "/cart"];

/// The batches, in the order in which they are sent.
#[must_use]
pub fn batches() -> Vec<Value> {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut visit = Visit { now_ms: START_MS, writer: WriterId::mint(START_MS, 7), sequence: 0 };
    (0..BATCHES).map(|at| visit.batch(at, &mut dice)).collect()
}

/// Where the visitor is.
struct Visit {
    now_ms: u64,
    writer: WriterId,
    sequence: u32,
}

impl Visit {
    fn batch(&mut self, at: usize, dice: &mut Dice) -> Value {
        self.now_ms += match dice.below(12) {
            0 => dice.below(40) * HOUR_MS,
            1 => 31 * MINUTE_MS,
            2..5 => dice.below(16) * MINUTE_MS,
            _ => dice.below(90) * SECOND_MS,
        };
        let mut events = Vec::new();
        if at == 0 || dice.below(4) == 0 {
            (self.writer, self.sequence) =
                (WriterId::mint(self.now_ms, 7 + u32::try_from(at).unwrap_or(0)), 0);
            events.push(self.page(dice));
        }
        for _ in 0..=dice.below(3) {
            self.now_ms += dice.below(20) * SECOND_MS;
            events.push(self.event(dice));
        }
        let mut granted = vec!["analytics", "personalization"];
        if dice.below(12) == 0 {
            granted.remove(dice.below(2) as usize);
        }
        json!({
            "write_key": "wk_shop_browser",
            "visitor": "00b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
            "writer": self.writer.bits().to_string(),
            "sent_at": self.now_ms + 50,
            "skew_ms": 0,
            "floor": 1,
            "clock": "event",
            "consent": {
                "granted": granted, "denied": [], "gpc": false, "mode": "opt-in", "policy_version": 1,
                "time": START_MS - 1_000,
            },
            "context": {"device.class": "desktop", "language": "de-AT", "viewport.width": 1280},
            "events": events,
        })
    }

    fn page(&mut self, dice: &mut Dice) -> Value {
        let medium = ["cpc", "email", "ppc"][dice.below(3) as usize];
        let properties = json!({
            "path": PATHS[dice.below(3) as usize],
            "sku": format!("sku-{}", dice.below(5)),
            "title": "Nordgang",
        });
        let context = if dice.below(3) == 0 { json!({"utm.medium": medium}) } else { json!({}) };
        self.sent("page", "page", &properties, &context)
    }

    fn event(&mut self, dice: &mut Dice) -> Value {
        let sku = format!("sku-{}", dice.below(5));
        let category = CATEGORIES[dice.below(4) as usize];
        let value = json!(dice.below(9_000) as f64 / 100.0);
        let (name, properties) = match dice.below(16) {
            0..6 => {
                let rating = dice.below(50) as f64 / 10.0;
                ("product_view", json!({"sku": sku, "category": category, "value": value, "rating": rating}))
            }
            6..9 => ("add_to_cart", json!({"sku": sku, "value": value, "quantity": 1 + dice.below(2)})),
            9 => {
                let items = json!([{"category": category, "price": dice.below(40)}, {"category": "packs", "price": 5}]);
                ("purchase", json!({"value": value, "items": items}))
            }
            10 => {
                let departs_ms = self.now_ms + dice.below(20) * 24 * HOUR_MS;
                ("search", json!({"query": "boots", "departs_at": departs_ms}))
            }
            11 => ("ticket_opened", json!({})),
            12 => ("ticket_resolved", json!({})),
            13 => return self.page(dice),
            _ => {
                let (slot, rule) =
                    [("hero", "hero-shoes"), ("inbox", "inbox-reminder"), ("banner", "banner-cart")]
                        [dice.below(3) as usize];
                let seen = json!({"slot": slot, "rule": rule, "content": "one"});
                return self.sent("exposure", "exposure", &seen, &json!({}));
            }
        };
        self.sent("track", name, &properties, &json!({}))
    }

    fn sent(&mut self, event_type: &str, name: &str, properties: &Value, context: &Value) -> Value {
        self.sequence += 1;
        json!({
            "sequence": self.sequence,
            "type": event_type,
            "name": name,
            "time": self.now_ms,
            "properties": properties,
            "context": context,
        })
    }
}

/// Numbers that look random and are always the same (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
