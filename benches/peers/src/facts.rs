//! What is known of a visitor: four numbers more than texts, and a yes or no.

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Facts {
    pub shoe_views: i64,
    pub cart_adds: i64,
    pub spend: i64,
    pub views: i64,
    pub days: i64,
    pub medium: &'static str,
    pub path: &'static str,
    pub country: &'static str,
    pub tier: &'static str,
    pub is_new: bool,
}

pub const NUMBERS: [&str; 5] = ["shoe_views", "cart_adds", "spend", "views", "days"];
pub const TEXTS: [&str; 4] = ["medium", "path", "country", "tier"];

impl Facts {
    pub fn numbers(&self) -> [i64; 5] {
        [self.shoe_views, self.cart_adds, self.spend, self.views, self.days]
    }

    pub fn texts(&self) -> [&'static str; 4] {
        [self.medium, self.path, self.country, self.tier]
    }

    pub fn json(&self) -> Value {
        let mut object = json!({ "is_new": self.is_new });
        for (name, number) in NUMBERS.iter().zip(self.numbers()) {
            object[*name] = number.into();
        }
        for (name, text) in TEXTS.iter().zip(self.texts()) {
            object[*name] = text.into();
        }
        object
    }
}

/// Visitors of all sorts.
pub fn visitors() -> Vec<Facts> {
    let pick = |among: &[&'static str], at: usize| among[at % among.len()];
    (0..64usize)
        .map(|at| Facts {
            shoe_views: (at * 7 % 13) as i64,
            cart_adds: (at * 3 % 4) as i64,
            spend: (at * 37 % 300) as i64,
            views: (at * 5 % 40) as i64,
            days: (at * 11 % 90) as i64,
            medium: pick(&["cpc", "email", "social", "organic", "ppc"], at),
            path: pick(&["/", "/c/shoes", "/p/1", "/checkout", "/c/packs", "/p/2", "/blog"], at),
            country: pick(&["DE", "US", "FR", "ES", "AT", "SE"], at / 2),
            tier: pick(&["gold", "silver", "basic"], at / 3),
            is_new: at % 4 == 0,
        })
        .collect()
}
