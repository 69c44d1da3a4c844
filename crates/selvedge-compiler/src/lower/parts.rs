//! The parts of one program: what its rules need, and nothing else.

use super::code::{Code, index};
use super::deciding::DecidingParts;
use super::facts::{Dictionaries, Facts};
use super::shared::Shared;
use super::zone::{offsets, zone_of};
use crate::resolved::{
    Content, Fact, ItemTest, Leaf, Metric as ResolvedMetric, Rule, Score, Site, Truth, cart_events,
    item_truths,
};
use crate::source::Files;
use crate::written::lookups::ColumnKind;
use selvedge_core::consent::Purposes;
use selvedge_core::tracking_plan::Plan;
use selvedge_core::wire::program::{
    self, Attribute, EdgeConfig, FactSource, Feed, Leaf as LeafSource, Metric, MetricKind, Parts,
    PushedTable, Rule as RulePart, Sequence, Slot, Source, WarmUp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The full program's parts, or (`public`) those of the pages' program.
pub(crate) fn build(site: &Site, shared: &Shared, files: &Files<'_>, public: bool) -> Parts {
    let rules: Vec<(usize, &Rule)> =
        site.rules.iter().enumerate().filter(|(at, _)| !public || shared.in_page(*at)).collect();
    let mut builder = Builder::new(site, shared, &rules, public);
    let part_rules = builder.rules(&rules);
    let slots = builder.slots();
    let (templates, values) = builder.templates();
    let destinations = builder.destinations();
    let parts = Parts {
        site: site.site.name.clone(),
        currency: site.site.currency.clone(),
        late_ms: site.site.late_ms,
        edge: (!public).then(|| edge_config(site, &mut builder, files)),
        plan: Plan { events: site.events.clone() },
        attributes: builder.attributes(),
        facts: builder.facts.facts,
        metrics: builder.metrics,
        lookups: if public { Vec::new() } else { lookups(site, &builder.tables) },
        cart: cart(site, shared, public),
        scores: builder.scores,
        sequences: builder.sequences,
        settled: if public { Vec::new() } else { builder.code.settled },
        code: builder.code.instructions,
        masks: builder.code.masks,
        rules: part_rules,
        slots,
        groups: builder.groups,
        contents: builder.contents.iter().map(|content| content.part()).collect(),
        values,
        templates,
        deciding: builder.deciding.parts,
        destinations,
        ..Parts::default()
    };
    let zones = builder.zones.iter().map(|zone| offsets(zone)).collect();
    Parts { zone: zone_of(&parts, &site.site.timezone), zones, ..parts }
}

/// The tables that rules look something up in, and that of the rates, by their places among the site's.
fn table_places<'a>(leaves: impl Iterator<Item = &'a Leaf>, rates: Option<usize>) -> BTreeMap<usize, u16> {
    let facts = leaves.flat_map(|leaf| leaf.fact.simple());
    let tables = facts.filter_map(|fact| match fact {
        Fact::Lookup(found) => Some(found.table),
        _ => None,
    });
    tables
        .chain(rates)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .enumerate()
        .map(|(place, at)| (at, index(place)))
        .collect()
}

/// The time zones that clocks of these tests go by, sorted.
fn zones<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> Vec<String> {
    let named = leaves.filter_map(|leaf| match &leaf.fact {
        Fact::Clock(zone, _) => Some(zone.clone()),
        _ => None,
    });
    named.collect::<BTreeSet<_>>().into_iter().collect()
}

fn lookups(site: &Site, tables: &BTreeMap<usize, u16>) -> Vec<program::Lookup> {
    let used = tables.keys().filter_map(|at| site.site.lookups.get(*at));
    let table = |lookup: &crate::written::lookups::Lookup| program::Lookup {
        name: lookup.name.clone(),
        // What says until when a row is known is a column behind the others.
        texts: lookup
            .columns
            .iter()
            .map(|column| column.kind == ColumnKind::Text)
            .chain(lookup.is_dated().then_some(false))
            .collect(),
        feed: match &lookup.push {
            None => Feed::Published,
            Some(_) if lookup.is_dated() => Feed::Dated,
            Some(_) => Feed::Pushed,
        },
        rows: lookup.rows.clone(),
    };
    used.map(table).collect()
}

/// The tables whose rows are pushed, whether rules use them yet or not.
fn pushed(site: &Site, tables: &BTreeMap<usize, u16>) -> Vec<PushedTable> {
    let table = |(at, lookup): (usize, &crate::written::lookups::Lookup)| {
        let push = lookup.push.as_ref()?;
        Some(PushedTable {
            name: lookup.name.clone(),
            table: tables.get(&at).copied(),
            key: lookup.key.clone(),
            columns: lookup.columns.iter().map(|column| (column.name.clone(), column.kind)).collect(),
            ttl_ms: push.ttl_ms,
        })
    };
    site.site.lookups.iter().enumerate().filter_map(table).collect()
}

/// The events of the cart, where a rule of the program reads it.
fn cart(site: &Site, shared: &Shared, public: bool) -> Vec<program::CartEvent> {
    let purposes = shared.cart_purposes.filter(|_| !public || shared.page_reads_cart);
    let event = |purpose| {
        move |(event, does): (&str, _)| program::CartEvent { event: event.to_owned(), does, purpose }
    };
    purposes.map(|purpose| cart_events(&site.events).map(event(purpose)).collect()).unwrap_or_default()
}

/// What facts are in the program.
pub(super) struct Sources<'a> {
    pub site: &'a Site,
    pub attributes: &'a BTreeMap<usize, u16>,
    /// By their places among the resolved, sorted: those of one condition.
    pub metrics: &'a [(usize, u16)],
    pub item_tests: &'a BTreeMap<ItemTest, [u16; 2]>,
    pub tables: &'a BTreeMap<usize, u16>,
    pub zones: &'a [String],
}

impl Sources<'_> {
    /// Where the fact comes from; what it is made of is placed before it.
    pub(super) fn of(&self, fact: &Fact, facts: &mut Facts) -> FactSource {
        let found = |places: &BTreeMap<usize, u16>, at| places.get(at).copied().unwrap_or(u16::MAX);
        match fact {
            Fact::Builtin(builtin) => FactSource::Builtin(*builtin),
            Fact::Attribute(at) => FactSource::Attribute(found(self.attributes, at)),
            Fact::Metric(at) => {
                let is_sequence = self.site.metric(*at).is_some_and(|metric| metric.sequence.is_some());
                let place = self.metrics.binary_search_by_key(at, |(known, _)| *known).ok();
                let place =
                    place.and_then(|place| self.metrics.get(place)).map_or(u16::MAX, |(_, place)| *place);
                if is_sequence { FactSource::Sequence(place) } else { FactSource::Metric(place) }
            }
            Fact::Property(name) | Fact::TimeProperty(name) => FactSource::Property(name.clone()),
            Fact::Item(name) | Fact::TimeItem(name) => FactSource::Item(name.clone()),
            Fact::Trust => FactSource::Trust,
            Fact::OwnCurrency(_) => FactSource::OwnCurrency,
            Fact::Amount(amount) => FactSource::Amount {
                micro: amount.micro,
                currency: amount.currency.clone(),
                table: self.tables.get(&amount.table).copied().unwrap_or(u16::MAX),
                column: u8::try_from(amount.column).unwrap_or(u8::MAX),
            },
            Fact::Clock(zone, builtin) => {
                let place = self.zones.iter().position(|known| known == zone);
                FactSource::Clock(place.map_or(u16::MAX, index), *builtin)
            }
            Fact::Difference(first, second) => {
                let [first, second] = [first, second].map(|term| program::Term {
                    fact: self.part(&term.fact, facts),
                    is_count: term.is_count,
                });
                FactSource::Difference(first, second)
            }
            Fact::SameText(first, second) => {
                FactSource::SameText(self.part(first, facts), self.part(second, facts))
            }
            Fact::Lookup(found) => FactSource::Lookup {
                table: self.tables.get(&found.table).copied().unwrap_or(u16::MAX),
                column: u8::try_from(found.column).unwrap_or(u8::MAX),
                key: self.part(&found.key, facts),
            },
            Fact::SameCount(metric, text) => match self.of(metric, facts) {
                FactSource::Metric(at) => FactSource::SameCount(at, self.part(text, facts)),
                other => other,
            },
            Fact::AnyItem(test) => {
                let [passes, fails] = self.item_tests.get(test).copied().unwrap_or([u16::MAX; 2]);
                FactSource::AnyItem { list: test.list.clone(), passes, fails }
            }
        }
    }

    fn part(&self, fact: &Fact, facts: &mut Facts) -> u16 {
        let source = self.of(fact, facts);
        index(facts.place_part(fact, source))
    }
}

/// Collects what the rules of one program need.
pub(super) struct Builder<'a> {
    pub(super) site: &'a Site,
    pub(super) shared: &'a Shared,
    dictionaries: Dictionaries,
    pub(super) facts: Facts,
    pub(super) metrics: Vec<Metric>,
    scores: Vec<program::Score>,
    pub(super) sequences: Vec<Sequence>,
    /// Metrics and sequences of this program, by meaning.
    pub(super) metric_places: BTreeMap<u64, u16>,
    /// Attributes of this program, by their place among the resolved.
    pub(super) attribute_places: BTreeMap<usize, u16>,
    /// Tables of this program, by their place in site.yaml.
    pub(super) tables: BTreeMap<usize, u16>,
    /// Time zones that schedules of this program name.
    pub(super) zones: Vec<String>,
    /// Where conditions on items begin, and their opposites.
    pub(super) item_tests: BTreeMap<ItemTest, [u16; 2]>,
    code: Code,
    /// The names of the slots, sorted.
    slot_names: Vec<&'a str>,
    groups: Vec<selvedge_core::wire::program::Group>,
    /// The contents that are shown, sorted by id.
    pub(super) contents: Vec<&'a Content>,
    pub(super) deciding: DecidingParts,
    /// Pages are not told what rules tell destinations.
    pub(super) is_public: bool,
}

impl<'a> Builder<'a> {
    fn new(site: &'a Site, shared: &'a Shared, rules: &[(usize, &'a Rule)], public: bool) -> Self {
        let fallbacks = site.site.slots.iter().filter_map(|slot| slot.fallback.as_ref()).map(|id| &id.value);
        let fallbacks: Vec<&String> = fallbacks.collect();
        let is_shown = |content: &&Content| {
            fallbacks.contains(&&content.id) || rules.iter().any(|(_, rule)| rule.shows(&content.id))
        };
        let mut contents: Vec<&Content> = site.contents.iter().filter(is_shown).collect();
        contents.sort_by(|a, b| a.id.cmp(&b.id));
        let is_used = |name: &String| rules.iter().any(|(_, rule)| rule.group.as_ref() == Some(name));
        let mut groups: Vec<_> = site.groups.iter().filter(|group| is_used(&group.name)).cloned().collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        let mut own = leaves(site, rules, &contents);
        let of_items = leaves_of_items(&own);
        let filters = site.filters.iter().flatten().filter(|_| !public);
        own.extend(filters.flat_map(Truth::leaves));
        let leaves = own.iter().copied().chain(&of_items);
        let read = contents.iter().flat_map(|content| content.leaves());
        let rates = site.rates.filter(|_| !public).map(|rates| rates.table);
        let tables = table_places(leaves.clone().chain(read), rates);
        Self {
            site,
            shared,
            dictionaries: Dictionaries::of(leaves.clone()),
            facts: Facts::default(),
            metrics: Vec::new(),
            scores: Vec::new(),
            sequences: Vec::new(),
            metric_places: BTreeMap::new(),
            attribute_places: attribute_places(site, shared, public),
            item_tests: BTreeMap::new(),
            tables,
            zones: zones(leaves),
            code: Code::new(!public),
            slot_names: slot_names(site),
            groups,
            contents,
            deciding: DecidingParts::of(site, rules),
            is_public: public,
        }
    }

    fn rules(&mut self, rules: &[(usize, &Rule)]) -> Vec<RulePart> {
        self.suppressions();
        rules.iter().map(|(at, rule)| self.rule(*at, rule)).collect()
    }

    fn rule(&mut self, at: usize, rule: &Rule) -> RulePart {
        let group = rule.group.as_ref();
        RulePart {
            id: rule.id.clone(),
            priority: rule.priority,
            status: rule.status,
            purpose: rule.purpose,
            when: rule.when.as_ref().map(|when| self.condition(when, rule.purpose)),
            slot: place(self.slot_names.iter().copied(), &rule.slot),
            content: place(self.contents.iter().map(|content| content.id.as_str()), &rule.content),
            group: group.map(|group| place(self.groups.iter().map(|known| known.name.as_str()), group)),
            caps: rule.caps.clone(),
            hold: rule.hold,
            in_page: self.shared.in_page(at),
            timing: rule.timing.clone(),
            terms: self.terms(rule),
            emit: if self.is_public { None } else { self.emit(rule) },
        }
    }

    /// The code of a condition; the counts it names come before it.
    pub(super) fn condition(&mut self, when: &Truth, purpose: Purposes) -> u16 {
        let mut metrics: Vec<(usize, u16)> = Vec::new();
        for at in when.leaves().flat_map(metrics_of) {
            metrics.push((at, self.metric(at, purpose)));
        }
        metrics.sort_unstable();
        self.append(when, &metrics)
    }

    pub(super) fn append(&mut self, truth: &Truth, metrics: &[(usize, u16)]) -> u16 {
        for leaf in truth.leaves() {
            if let Fact::AnyItem(test) = &leaf.fact {
                self.item_test(test);
            }
        }
        let Self { facts, dictionaries, attribute_places, item_tests, code, site, tables, zones, .. } = self;
        let sources = Sources { site, attributes: attribute_places, metrics, item_tests, tables, zones };
        code.append(truth, &mut |leaf: &Leaf| {
            let source = sources.of(&leaf.fact, facts);
            facts.place(leaf, source, dictionaries)
        })
    }

    /// The code of a condition on items, and of its opposite.
    fn item_test(&mut self, test: &ItemTest) {
        if !self.item_tests.contains_key(test) {
            let places = item_truths(test).map(|truth| self.append(&truth, &[]));
            self.item_tests.insert(test.clone(), places);
        }
    }

    /// What the rule tells a destination.
    fn emit(&mut self, rule: &Rule) -> Option<program::Emit> {
        let emit = rule.emit.as_ref()?;
        let exit_when = emit.exit_when.as_ref().map(|when| self.condition(when, rule.purpose));
        let facts = emit.fields.iter().flat_map(|(name, truth)| truth.leaves().map(move |leaf| (name, leaf)));
        let fields = facts.map(|(name, leaf)| (name.clone(), self.told(&leaf.fact, rule.purpose)));
        Some(program::Emit {
            to: emit.to.clone(),
            enter: emit.enter.clone(),
            exit_when,
            fields: fields.collect(),
            once_per: emit.once_per,
        })
    }

    /// The place of a fact that goes with a message.
    fn told(&mut self, fact: &Fact, purpose: Purposes) -> u16 {
        let metrics: Vec<(usize, u16)> = match fact {
            Fact::Metric(at) => vec![(*at, self.metric(*at, purpose))],
            _ => Vec::new(),
        };
        let Self { facts, attribute_places, item_tests, tables, site, zones, .. } = self;
        let sources =
            Sources { site, attributes: attribute_places, metrics: &metrics, item_tests, tables, zones };
        let source = sources.of(fact, facts);
        index(facts.place_part(fact, source))
    }

    /// The place of a fact whose values are used as they are.
    pub(super) fn plain_fact(&mut self, fact: &Fact) -> u16 {
        let Self { facts, attribute_places, item_tests, tables, site, zones, .. } = self;
        let sources = Sources { site, attributes: attribute_places, metrics: &[], item_tests, tables, zones };
        let source = sources.of(fact, facts);
        index(facts.place_part(fact, source))
    }

    /// The count under this purpose: counts of one meaning are one.
    pub(super) fn metric(&mut self, at: usize, purpose: Purposes) -> u16 {
        let Some(metric) = self.site.metric(at) else { return u16::MAX };
        let meaning = self.shared.meaning(at, metric, purpose);
        let warm_up = if self.is_public { WarmUp::Unknown } else { metric.warm_up };
        if let Some(place) = self.metric_places.get(&meaning) {
            // Written twice, it begins as either says.
            if let Some(known) =
                self.metrics.get_mut(usize::from(*place)).filter(|known| known.meaning == meaning)
            {
                known.warm_up = known.warm_up.max(warm_up);
            }
            return *place;
        }
        if let Some(sequence) = &metric.sequence {
            return self.sequence(metric, sequence, meaning, purpose);
        }
        let filter = metric.filter.as_ref().map(|filter| self.append(filter, &[]));
        let detail = metric.score.as_ref().map_or(metric.detail, |score| self.score(score));
        let place = index(self.metrics.len());
        let threshold = self.shared.thresholds.get(&meaning).copied().unwrap_or(1);
        let threshold = u16::try_from(threshold).unwrap_or(u16::MAX);
        self.metric_places.insert(meaning, place);
        self.metrics.push(Metric {
            name: metric.name.clone(),
            meaning,
            kind: metric.kind,
            event: metric.event.clone(),
            property: metric.property.clone(),
            filter,
            window: metric.window,
            scope: metric.scope,
            threshold: if metric.kind == MetricKind::Count { threshold } else { 0 },
            detail,
            purpose,
            private: !self.shared.page_metrics.contains(&meaning),
            warm_up,
            of_money: metric.of_money,
        });
        place
    }

    /// Places how a score is made.
    fn score(&mut self, score: &Score) -> u16 {
        let points = score.points.iter().map(|points| program::Points {
            event: points.event.clone(),
            filter: points.filter.as_ref().map(|filter| self.append(filter, &[])),
            micro: points.micro,
        });
        let points = points.collect();
        let Score { half_life_ms, min, max, .. } = *score;
        self.scores.push(program::Score { half_life_ms, min, max, points });
        index(self.scores.len() - 1)
    }

    fn slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self
            .site
            .site
            .slots
            .iter()
            .map(|slot| Slot {
                name: slot.name.clone(),
                caps: slot.caps.clone(),
                fallback: slot
                    .fallback
                    .as_ref()
                    .map(|id| place(self.contents.iter().map(|content| content.id.as_str()), &id.value)),
            })
            .collect();
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        slots
    }

    fn attributes(&self) -> Vec<Attribute> {
        let mut attributes: Vec<(u16, Attribute)> = self
            .attribute_places
            .iter()
            .map(|(at, place)| {
                let attribute = &self.site.attributes[*at];
                let part = Attribute {
                    name: attribute.name.clone(),
                    scope: attribute.scope,
                    attribute_type: attribute.attribute_type,
                    set: attribute.set.clone(),
                    purpose: self.shared.attribute_purposes.get(at).copied().unwrap_or_default(),
                    private: !self.shared.page_attributes.contains(at),
                    ttl: attribute.ttl,
                };
                (*place, part)
            })
            .collect();
        attributes.sort_by_key(|(place, _)| *place);
        attributes.into_iter().map(|(_, attribute)| attribute).collect()
    }
}

fn slot_names(site: &Site) -> Vec<&str> {
    let mut names: Vec<&str> = site.site.slots.iter().map(|slot| slot.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Attributes that the program's rules read, sorted by name.
fn attribute_places(site: &Site, shared: &Shared, public: bool) -> BTreeMap<usize, u16> {
    let read = shared.attribute_purposes.keys().filter(|at| !public || shared.page_attributes.contains(at));
    let mut read: Vec<usize> = read.copied().collect();
    read.sort_by(|a, b| site.attributes[*a].name.cmp(&site.attributes[*b].name));
    read.into_iter().enumerate().map(|(place, at)| (at, index(place))).collect()
}

/// The leaves of the rules' conditions, and of the metrics that these and the contents name.
fn leaves<'a>(site: &'a Site, rules: &[(usize, &'a Rule)], contents: &[&'a Content]) -> Vec<&'a Leaf> {
    let mut leaves: Vec<&Leaf> = rules
        .iter()
        .flat_map(|(_, rule)| rule.conditions(&site.deciding))
        .flat_map(|(truth, _)| truth.leaves())
        .collect();
    let read = contents.iter().flat_map(|content| content.leaves());
    let metrics: BTreeSet<usize> = leaves.iter().copied().chain(read).flat_map(metrics_of).collect();
    let filters = metrics.into_iter().filter_map(|at| site.metric(at)).flat_map(ResolvedMetric::filters);
    leaves.extend(filters.flat_map(Truth::leaves));
    leaves
}

/// The leaves of the conditions on items that these leaves ask.
fn leaves_of_items(leaves: &[&Leaf]) -> Vec<Leaf> {
    let tests = leaves.iter().filter_map(|leaf| match &leaf.fact {
        Fact::AnyItem(test) => Some(item_truths(test)),
        _ => None,
    });
    tests.flat_map(|truths| truths.iter().flat_map(Truth::leaves).cloned().collect::<Vec<_>>()).collect()
}

pub(super) fn metrics_of(leaf: &Leaf) -> impl Iterator<Item = usize> {
    leaf.fact.simple().filter_map(|fact| if let Fact::Metric(at) = fact { Some(*at) } else { None })
}

/// The place of a name that was resolved before.
pub(super) fn place<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> u16 {
    index(names.position(|known| known == name).unwrap_or(usize::MAX))
}

fn edge_config(site: &Site, builder: &mut Builder<'_>, files: &Files<'_>) -> EdgeConfig {
    let written = &site.site;
    EdgeConfig {
        sources: written.sources.iter().map(source).collect(),
        origins: written.origins.clone(),
        consent_mode: written.consent.mode,
        consent_regions: written.consent.regions.clone(),
        policy_version: written.consent.policy_version,
        consent_sources: written
            .consent
            .sources
            .as_ref()
            .map(|sources| sources.to_json())
            .unwrap_or_default(),
        keep: written.keep,
        capture: written.capture.kinds.clone(),
        identity: written.identity.clone(),
        selectors: written.slots.iter().filter_map(selector).collect(),
        leaves: std::mem::take(&mut builder.code.sources)
            .into_iter()
            .map(|source| leaf_source(source, files))
            .collect(),
        goals: site.deciding.goals.clone(),
        studies: site.deciding.studies.clone(),
        pushed: pushed(site, &builder.tables),
        rates: site.rates.map(|rates| program::Rates {
            table: builder.tables.get(&rates.table).copied().unwrap_or(u16::MAX),
            column: u8::try_from(rates.column).unwrap_or(u8::MAX),
            items: amounts_of_items(site),
        }),
    }
}

/// The properties of items that are amounts: those that the cart reads, and those that conditions compare with amounts.
fn amounts_of_items(site: &Site) -> Vec<String> {
    let filters = site.metrics.iter().flatten().flat_map(ResolvedMetric::filters);
    let filters = filters.chain(site.filters.iter().flatten());
    let tests = filters.flat_map(Truth::leaves).filter_map(|leaf| match &leaf.fact {
        Fact::AnyItem(test) => Some(test.amounts.iter().cloned()),
        _ => None,
    });
    let of_cart = ["price", "value"].map(str::to_owned);
    tests.flatten().chain(of_cart).collect::<BTreeSet<_>>().into_iter().collect()
}

fn source(source: &crate::written::site::Source) -> Source {
    Source { name: source.name.clone(), kind: source.kind, key: source.key.value.clone() }
}

fn selector(slot: &crate::written::site::Slot) -> Option<(String, String)> {
    slot.selector.clone().map(|selector| (slot.name.clone(), selector))
}

fn leaf_source(source: crate::condition::Source, files: &Files<'_>) -> LeafSource {
    let at = files.position(source.span.file, source.span.start);
    LeafSource {
        file: files.name(source.span.file).to_owned(),
        line: at.line,
        column: at.column,
        text: source.text,
    }
}
