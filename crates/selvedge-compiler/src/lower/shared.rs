//! What both programs must agree on, found from all rules: where each runs, how far counts count, what stays at the edge.

use super::meaning::meaning;
use crate::resolved::rates::may_be_foreign;
use crate::resolved::{Content, Fact, Leaf, Metric, Rule, Site, ValueCap, cart_events, threshold_of};
use selvedge_core::consent::Purposes;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::{AttributeScope, Builtin, Scope, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Where a rule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaceOf {
    /// In the page too.
    Page,
    /// At the edge only, and why.
    Edge(Vec<String>),
}

/// What both programs must agree on.
pub(crate) struct Shared {
    /// Where each rule runs, in the order of the site's rules.
    pub places: Vec<PlaceOf>,
    /// What the metrics mean, by their places and the purposes (its bits) that rules read them for.
    meanings: BTreeMap<(usize, u16), u64>,
    /// The same by their words, where these alone say what they mean.
    spelled: BTreeMap<(String, u8, u16), u64>,
    /// How far a count must count, by its meaning.
    pub thresholds: BTreeMap<u64, i64>,
    /// Counts that rules of the page read, by meaning.
    pub page_metrics: BTreeSet<u64>,
    /// Attributes that rules of the page read.
    pub page_attributes: BTreeSet<usize>,
    /// What changing an attribute needs granted: the purposes of all rules that read it.
    pub attribute_purposes: BTreeMap<usize, Purposes>,
    /// What changing the cart needs granted: the purposes of all rules that read it; `None` where none does.
    pub cart_purposes: Option<Purposes>,
    /// Whether a rule of the page reads the cart.
    pub page_reads_cart: bool,
}

impl Shared {
    /// What the rules of `site` agree on.
    pub fn of(site: &Site) -> Self {
        let mut shared = Self {
            places: site.rules.iter().map(|rule| place_of(rule, site)).collect(),
            meanings: BTreeMap::new(),
            spelled: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            page_metrics: BTreeSet::new(),
            page_attributes: BTreeSet::new(),
            attribute_purposes: BTreeMap::new(),
            cart_purposes: None,
            page_reads_cart: false,
        };
        for (at, rule) in site.rules.iter().enumerate() {
            let in_page = shared.in_page(at);
            shared.take(rule, in_page, site);
        }
        for content in site.contents.iter().filter(|content| site.is_shown(content)) {
            let in_page = site.in_page(content, |at| shared.in_page(at));
            content.leaves().for_each(|leaf| shared.take_leaf(leaf, content.purpose, in_page, site));
        }
        shared
    }

    /// Whether the rule at this place runs in the page.
    pub fn in_page(&self, rule: usize) -> bool {
        self.places.get(rule) == Some(&PlaceOf::Page)
    }

    /// What the metric at this place means under the purpose. Many rules read one metric: it is spelled out once.
    pub fn meaning(&self, at: usize, metric: &Metric, purpose: Purposes) -> u64 {
        let known = self.meanings.get(&(at, purpose.0));
        known.copied().unwrap_or_else(|| meaning(metric, purpose))
    }

    /// What the metric means. Marketers write the same metric into rule after rule: it is spelled out once for its words,
    /// unless a text stands among them, whose spaces its name does not keep.
    fn spell(&mut self, at: usize, metric: &Metric, purpose: Purposes) -> u64 {
        if let Some(known) = self.meanings.get(&(at, purpose.0)) {
            return *known;
        }
        let found = if metric.name.contains(['"', '\'']) {
            meaning(metric, purpose)
        } else {
            let words = (metric.name.clone(), metric.kind as u8, purpose.0);
            *self.spelled.entry(words).or_insert_with(|| meaning(metric, purpose))
        };
        self.meanings.insert((at, purpose.0), found);
        found
    }

    fn take(&mut self, rule: &Rule, in_page: bool, site: &Site) {
        for (truth, purpose) in rule.conditions(&site.deciding) {
            for leaf in truth.leaves() {
                self.take_leaf(leaf, purpose, in_page, site);
            }
        }
        if let Some(ValueCap { fact: Fact::Attribute(at), .. }) = &rule.terms.per_value {
            self.take_attribute(*at, rule.purpose, in_page);
        }
    }

    fn take_attribute(&mut self, at: usize, purpose: Purposes, in_page: bool) {
        let known = self.attribute_purposes.entry(at).or_default();
        *known = known.or(purpose);
        if in_page {
            self.page_attributes.insert(at);
        }
    }

    fn take_leaf(&mut self, leaf: &Leaf, purpose: Purposes, in_page: bool, site: &Site) {
        for fact in leaf.fact.simple() {
            self.take_fact(fact, leaf, purpose, in_page, site);
        }
    }

    fn take_fact(&mut self, fact: &Fact, leaf: &Leaf, purpose: Purposes, in_page: bool, site: &Site) {
        match fact {
            Fact::Attribute(at) => self.take_attribute(*at, purpose, in_page),
            Fact::Builtin(builtin) if builtin.is_of_cart() => {
                let purposes = self.cart_purposes.unwrap_or_default();
                self.cart_purposes = Some(purposes.or(purpose));
                self.page_reads_cart |= in_page;
            }
            Fact::Metric(at) => {
                let Some(metric) = site.metric(*at) else { return };
                let meaning = self.spell(*at, metric, purpose);
                let threshold = self.thresholds.entry(meaning).or_default();
                *threshold = (*threshold).max(threshold_of(&leaf.test));
                if in_page {
                    self.page_metrics.insert(meaning);
                }
            }
            _ => {}
        }
    }
}

impl Site {
    /// Whether anything shows the content.
    pub fn is_shown(&self, content: &Content) -> bool {
        self.is_fallback(content) || self.rules.iter().any(|rule| rule.shows(&content.id))
    }

    /// Whether a slot falls back to the content.
    pub fn is_fallback(&self, content: &Content) -> bool {
        let fallbacks = self.site.slots.iter().filter_map(|slot| slot.fallback.as_ref());
        fallbacks.into_iter().any(|id| id.value == content.id)
    }

    /// Whether pages show the content themselves.
    fn in_page(&self, content: &Content, is_in_page: impl Fn(usize) -> bool) -> bool {
        let mut rules = self.rules.iter().enumerate();
        self.is_fallback(content) || rules.any(|(at, rule)| rule.shows(&content.id) && is_in_page(at))
    }

    /// Whether amounts in the cart may have to be converted.
    fn cart_may_be_foreign(&self) -> bool {
        let mut events = self.events.iter().filter(|event| is_of_cart(event));
        self.rates.is_some() && events.any(may_be_foreign)
    }

    /// The count at this place.
    pub fn metric(&self, at: usize) -> Option<&Metric> {
        self.metrics.get(at).and_then(Option::as_ref)
    }
}

fn is_of_cart(event: &PlanEvent) -> bool {
    cart_events(std::slice::from_ref(event)).next().is_some()
}

fn place_of(rule: &Rule, site: &Site) -> PlaceOf {
    let mut reasons = Vec::new();
    if rule.private {
        reasons.push("the rule is private".to_owned());
    }
    if rule.slot.is_empty() {
        reasons.push("it shows nothing".to_owned());
    }
    if rule.status == Status::Draft {
        reasons.push("a draft is not sent to pages".to_owned());
    }
    let leaves = rule.conditions(&site.deciding).flat_map(|(truth, _)| truth.leaves());
    let shown = site.contents.iter().filter(|content| rule.shows(&content.id));
    for leaf in leaves.chain(shown.flat_map(Content::leaves)) {
        reasons.extend(at_edge(&leaf.fact, site));
    }
    if let Some(cap) = &rule.terms.per_value {
        reasons.extend(at_edge(&cap.fact, site));
    }
    reasons.dedup();
    if reasons.is_empty() { PlaceOf::Page } else { PlaceOf::Edge(reasons) }
}

/// Why amounts that may have to be converted are known at the edge only.
fn by_rates(site: &Site) -> Option<String> {
    let table = site.site.lookups.get(site.rates?.table)?;
    Some(format!("amounts are converted by `{}`, which is known at the edge only", table.name))
}

/// Why only the edge knows the fact; nothing where pages know it.
pub(crate) fn at_edge(fact: &Fact, site: &Site) -> Vec<String> {
    let reason = |fact: &Fact| match fact {
        Fact::Attribute(at) if site.attributes[*at].scope == AttributeScope::Account => {
            Some(format!("`{}` is of the account", site.attributes[*at].name))
        }
        Fact::Amount(_) => by_rates(site),
        Fact::Metric(at) if site.metric(*at).is_some_and(Metric::needs_rates) => by_rates(site),
        Fact::Attribute(at) if site.rates.is_some() && site.attributes[*at].is_of_amounts() => by_rates(site),
        Fact::Builtin(Builtin::CartValue) if site.cart_may_be_foreign() => by_rates(site),
        Fact::Metric(at) if site.metric(*at).is_some_and(|metric| metric.scope == Scope::Account) => {
            Some("a metric is of the account".to_owned())
        }
        Fact::Lookup(found) => {
            let table = site.site.lookups.get(found.table);
            Some(format!("`{}` is known at the edge only", table.map_or("", |table| &table.name)))
        }
        Fact::Builtin(builtin) if builtin.is_edge_only() => {
            Some(format!("`{}` is known at the edge only", builtin.name()))
        }
        Fact::Attribute(at) if site.attributes[*at].private => {
            Some(format!("`{}` is private", site.attributes[*at].name))
        }
        _ => None,
    };
    fact.simple().filter_map(reason).collect()
}
