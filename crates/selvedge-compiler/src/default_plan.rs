//! The default tracking plan: what a page captures by itself, kind by kind, and the events that it makes. A site takes a kind by
//! naming it under `capture`; an event that its own plan describes is as that says.

use selvedge_core::consent::Purposes;
use selvedge_core::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};

/// Something that a page can capture by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its key under `capture`, and its word on the script tag.
    pub name: &'static str,
    /// What it takes as its value.
    pub takes: Takes,
    /// What it is about, for people.
    pub about: &'static str,
    /// The events it makes, beside page views.
    pub events: &'static [DefaultEvent],
}

/// What stands behind a kind's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// `true`, `false` or `page`.
    Switch,
    /// URL parameters.
    Parameters,
    /// A switch, or events by the names that others gave them.
    Names,
}

/// An event of the default plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultEvent {
    /// Its name.
    pub name: &'static str,
    /// Its properties: name, type, and whether personal data is masked in it.
    pub properties: &'static [(&'static str, PropertyType, bool)],
}

const TEXT: (PropertyType, bool) = (PropertyType::Text, false);
/// Text that is read off the page.
const FOUND: (PropertyType, bool) = (PropertyType::Text, true);
const INTEGER: (PropertyType, bool) = (PropertyType::Integer, false);
const NUMBER: (PropertyType, bool) = (PropertyType::Number, false);
const MONEY: (PropertyType, bool) = (PropertyType::Money, false);
const LIST: (PropertyType, bool) = (PropertyType::List, false);

macro_rules! events {
    ($($event:ident { $($property:ident $kind:ident),* })*) => {
        &[$(DefaultEvent {
            name: stringify!($event),
            properties: &[$((stringify!($property), $kind.0, $kind.1)),*],
        }),*]
    };
}

const fn switch(name: &'static str, about: &'static str, events: &'static [DefaultEvent]) -> Kind {
    Kind { name, takes: Takes::Switch, about, events }
}

/// All kinds, in the order of their documentation. Properties are sorted by name.
pub const KINDS: &[Kind] = &[
    switch("routes", "page views of routes that change without a load; on unless it says `false`", &[]),
    switch("hash", "page views of routes that stand behind a `#/` or `#!`", &[]),
    switch(
        "loss",
        "nothing by itself: how many events the page's queue lost; on unless it says `false`",
        events! { events_lost { count INTEGER } },
    ),
    switch(
        "clicks",
        "clicks on links within the site, and on buttons",
        events! { link_click { text FOUND, url FOUND } button_click { name TEXT, text FOUND } },
    ),
    switch(
        "outbound",
        "clicks on links to other hosts",
        events! { outbound_click { text FOUND, url FOUND } },
    ),
    switch(
        "downloads",
        "clicks on links to files",
        events! { file_download { extension TEXT, text FOUND, url FOUND } },
    ),
    switch(
        "contents",
        "clicks on links and buttons of what a rule shows, and that it was put away (`data-selvedge-dismiss`)",
        events! { exposure_click { rule TEXT, slot TEXT } exposure_dismiss { rule TEXT, slot TEXT } },
    ),
    switch(
        "forms",
        "forms that were begun, sent, or left: the names of fields, never what stands in them",
        events! {
            form_start { field TEXT, form TEXT }
            form_submit { fields LIST, form TEXT }
            form_abandon { field TEXT, fields LIST, form TEXT }
        },
    ),
    Kind {
        name: "search",
        takes: Takes::Parameters,
        about: "what was searched for on the site: the URL parameters that say it",
        events: events! { site_search { query FOUND } },
    },
    switch("scroll", "how far a page was scrolled", events! { scroll_depth { percent INTEGER } }),
    switch("time", "how long a page was seen and used", events! { engagement { duration_ms INTEGER } }),
    switch("exit", "the pointer leaves the page at its top", events! { exit_intent {} }),
    switch(
        "media",
        "videos and sounds that were played",
        events! {
            media_play { duration_s INTEGER, kind TEXT, title FOUND, url FOUND }
            media_progress { duration_s INTEGER, kind TEXT, percent INTEGER, title FOUND, url FOUND }
            media_complete { duration_s INTEGER, kind TEXT, title FOUND, url FOUND }
        },
    ),
    switch(
        "vitals",
        "Core Web Vitals: how fast a page was",
        events! { web_vital { metric TEXT, navigation TEXT, rating TEXT, value NUMBER } },
    ),
    switch(
        "errors",
        "errors of the page's scripts",
        events! { js_error { column INTEGER, kind TEXT, line INTEGER, message FOUND, source FOUND } },
    ),
    switch(
        "rage",
        "clicks in quick succession on one place",
        events! { rage_click { clicks INTEGER, element TEXT, text FOUND } },
    ),
    switch("dead", "clicks that changed nothing", events! { dead_click { element TEXT, text FOUND } }),
    switch(
        "visibility",
        "elements with `data-selvedge-visible` that were seen",
        events! { element_visible { element TEXT } },
    ),
    switch(
        "ecommerce",
        "nothing by itself: the events of `selvedge.ecommerce` and of data layers",
        events! {
            view_item { currency TEXT, items LIST, value MONEY }
            view_item_list { item_list_id TEXT, item_list_name TEXT, items LIST }
            select_item { item_list_id TEXT, item_list_name TEXT, items LIST }
            add_to_wishlist { currency TEXT, items LIST, value MONEY }
            add_to_cart { currency TEXT, items LIST, value MONEY }
            remove_from_cart { currency TEXT, items LIST, value MONEY }
            view_cart { currency TEXT, items LIST, value MONEY }
            begin_checkout { coupon TEXT, currency TEXT, items LIST, value MONEY }
            add_shipping_info { coupon TEXT, currency TEXT, items LIST, shipping_tier TEXT, value MONEY }
            add_payment_info { coupon TEXT, currency TEXT, items LIST, payment_type TEXT, value MONEY }
            purchase {
                coupon TEXT, currency TEXT, items LIST, shipping MONEY, tax MONEY, transaction_id TEXT, value MONEY
            }
            refund { currency TEXT, items LIST, transaction_id TEXT, value MONEY }
            view_promotion { creative_name TEXT, promotion_id TEXT, promotion_name TEXT }
            select_promotion { creative_name TEXT, promotion_id TEXT, promotion_name TEXT }
        },
    ),
    Kind {
        name: "datalayer",
        takes: Takes::Names,
        about: "what the site pushes into `dataLayer`, where the tracking plan knows the event",
        events: &[],
    },
];

/// Kinds that are about how the site runs.
const OPERATIONAL: [&str; 3] = ["loss", "vitals", "errors"];
/// Kinds whose events take what else the site says.
const OPEN: [&str; 2] = ["visibility", "ecommerce"];

impl Kind {
    /// Its events, as a tracking plan has them.
    pub(crate) fn planned(&self) -> impl Iterator<Item = PlanEvent> {
        self.events.iter().map(|event| PlanEvent {
            name: event.name.to_owned(),
            version: 1,
            nature: if OPERATIONAL.contains(&self.name) { Nature::Operational } else { Nature::Behavioural },
            trust: Trust::Client,
            purposes: match OPERATIONAL.contains(&self.name) {
                true => Purposes::ANALYTICS,
                false => Purposes::ANALYTICS.or(Purposes::PERSONALIZATION),
            },
            additional_properties: OPEN.contains(&self.name),
            urgent: false,
            properties: event.properties.iter().map(property).collect(),
        })
    }
}

fn property((name, property_type, masked): &(&str, PropertyType, bool)) -> PlanProperty {
    PlanProperty {
        name: (*name).to_owned(),
        property_type: *property_type,
        required: false,
        pii: false,
        masked: *masked,
        one_of: Vec::new(),
    }
}
