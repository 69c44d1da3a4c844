//! The site around the conditions.

use super::score::yaml;
use super::site::{Condition, Literal};
use std::collections::BTreeMap;

/// What a visitor keeps, and what sets it. Its purpose is that of the rules.
pub struct Attribute {
    pub name: &'static str,
    pub scope: Scope,
    pub set: &'static [(&'static str, SetTo)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Visitor,
    Session,
    Context,
}

pub enum SetTo {
    Constant(Literal),
    Property(&'static str),
}

pub const ATTRIBUTES: [Attribute; 5] = [
    Attribute {
        name: "loyalty_tier",
        scope: Scope::Visitor,
        set: &[("purchase", SetTo::Constant(Literal::Text("gold")))],
    },
    Attribute {
        name: "last_category",
        scope: Scope::Session,
        set: &[("product_view", SetTo::Property("category"))],
    },
    Attribute {
        name: "needs_help",
        scope: Scope::Session,
        set: &[
            ("support_chat", SetTo::Constant(Literal::Bool(true))),
            ("purchase", SetTo::Constant(Literal::Bool(false))),
        ],
    },
    Attribute {
        name: "last_value",
        scope: Scope::Visitor,
        set: &[("product_view", SetTo::Property("value"))],
    },
    Attribute { name: "stage", scope: Scope::Context, set: &[] },
];

const ATTRIBUTES_YAML: &str = "attributes:
  loyalty_tier:
    type: text
    from: visitor
    set:
      purchase: gold
  last_category:
    type: text
    from: session
    set:
      product_view:
        property: category
  needs_help:
    type: bool
    from: session
    set:
      support_chat: true
      purchase: false
  last_value:
    type: money
    from: visitor
    set:
      product_view:
        property: value
  stage:
    type: text
    from: context
";

const SITE_YAML: &str = "name: shop
timezone: Europe/Berlin
currency: EUR
late_events: 30s
sources:
  web:
    type: browser
    key: wk_shop
consent:
  mode: opt-in
slots:
  hero:
    fallback: offer
  inbox:
";

/// What each slot shows where no rule has it.
pub const FALLBACKS: [Option<&str>; 2] = [Some("offer"), None];

const CONTENT_YAML: &str = "offer:
  type: text
  text: Shoes ship free today.
news:
  type: text
  text: New packs are here.
gift:
  type: text
  text: A gift for you.
hint:
  type: text
  text: Look into your cart.
";

const PLAN_YAML: &str = "events:
  page:
    purposes: [analytics, personalization]
    properties:
      path:
        type: text
  product_view:
    purposes: [analytics, personalization]
    properties:
      category:
        type: text
      value:
        type: money
      rating:
        type: number
      on_sale:
        type: bool
      currency:
        type: text
  add_to_cart:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
      currency:
        type: text
      sku:
        type: text
      price:
        type: money
      quantity:
        type: integer
      items:
        type: list
  cart_emptied:
    purposes: [analytics, personalization]
  purchase:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
      currency:
        type: text
  remove_from_cart:
    purposes: [analytics, personalization]
    properties:
      sku:
        type: text
      quantity:
        type: integer
      items:
        type: list
  identify:
    purposes: [analytics, personalization]
    properties:
      loyalty_tier:
        type: text
  search:
    purposes: [personalization]
    properties:
      rating:
        type: number
  support_chat:
    purposes: [necessary, analytics, personalization]
";

/// The files of the site with a rule for each condition.
pub fn files(conditions: &[Condition]) -> BTreeMap<String, String> {
    let mut rules = "rules:\n".to_owned();
    for (at, condition) in conditions.iter().enumerate() {
        rules.push_str(&format!(
            "  - id: rule-{at:03}\n    when: '{condition}'\n    show:\n      slot: hero\n      content: offer\n    priority: {}\n",
            1_000 - at
        ));
    }
    with_rules(&rules)
}

/// The files of the site with these rules, and what belongs to them.
pub fn with_rules(rules: &str) -> BTreeMap<String, String> {
    let rules = format!("{ATTRIBUTES_YAML}{}{rules}", yaml());
    [
        ("site.yaml", SITE_YAML),
        ("content.yaml", CONTENT_YAML),
        ("tracking-plan.yaml", PLAN_YAML),
        ("rules.yaml", &rules),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}
