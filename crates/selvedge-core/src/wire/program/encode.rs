//! A program's bytes.

mod deciding;
mod postcard;

mod destination;

mod emit;

mod sequence;

mod timing;

mod watched;

use super::image::records::{METRIC_FROM_LOG, METRIC_OF_MONEY, METRIC_PRIVATE, METRIC_WARM};
use super::image::{
    ACCEPT, CART, REJECT, WOKEN, attribute_hash, emit_hash, group_hash, rule_hash, slot_hash, timer_hash,
};
use super::layout::{MAGIC, NO_CELL, NO_TEXT, NONE, kind, size, tag};
use super::template;
use super::{
    Attribute, AttributeSet, Cap, Content, Fact, FactSource, Hold, Instruction, Jump, Lookup, LookupCell,
    Metric, Parts, Rule, Score, SetTo, Shape, Term, Test, Timing, WarmUp, Window,
};
use crate::event::EventType;
use crate::limits::LOOKUP_COLUMNS_MAX;
use crate::wire::codec::Writer;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

impl Parts {
    /// The program's bytes. The same parts give the same bytes. Texts that tables refer to are cut at 65,535 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut tables = Tables::default();
        self.attributes.iter().for_each(|attribute| tables.attribute(attribute));
        self.facts.iter().for_each(|fact| tables.fact(tag::FACTS, fact));
        self.metrics.iter().for_each(|metric| tables.metric(metric));
        self.sequences.iter().for_each(|sequence| tables.sequence(sequence));
        self.scores.iter().for_each(|score| tables.score(score));
        self.lookups.iter().for_each(|lookup| tables.lookup(lookup));
        for known in &self.cart {
            let (event, currency) = (tables.text(&known.event), tables.text(&self.currency));
            let row = tables.table(tag::CART).fixed(event).fixed(currency).fixed(known.purpose.0);
            row.fixed(known.does as u8).end(size::NARROW);
        }
        tables.code(&self.code);
        self.masks.iter().for_each(|words| tables.mask(words));
        for at in &self.settled {
            tables.table(tag::SETTLED).fixed(u32::from(*at));
        }
        (0..).zip(&self.rules).for_each(|(at, rule)| tables.rule(at, rule));
        (0..).zip(&self.rules).for_each(|(at, rule)| tables.terms(at, &rule.terms));
        tables.deciding(&self.deciding);
        for slot in &self.slots {
            let (name, caps) = (tables.text(&slot.name), tables.caps(&slot.caps));
            let caps = if slot.caps.is_empty() { 0 } else { caps };
            let row = tables.table(tag::SLOTS).fixed(slot_hash(slot)).fixed(name);
            row.fixed(slot.fallback.unwrap_or(NONE))
                .fixed(caps)
                .fixed(count_u8(&slot.caps))
                .end(size::NARROW);
        }
        for group in &self.groups {
            let (name, caps) = (tables.text(&group.name), tables.caps(&group.caps));
            let row = tables.table(tag::GROUPS).fixed(group_hash(group)).fixed(name);
            row.fixed(group.max_per_page.unwrap_or(NONE)).fixed(caps).fixed(count_u8(&group.caps));
            row.end(size::NARROW);
        }
        let site = self.zone.iter().map(|offset| (tag::ZONE, offset));
        let named = self.zones.iter().flatten().map(|offset| (tag::ZONES, offset));
        for (section, offset) in site.chain(named) {
            let row = tables.table(section).fixed(offset.from_minute);
            row.fixed(offset.minutes).end(size::OFFSET);
        }
        let moves_with_time = tables.watched(self);
        for cell in self.cells(self.rules.iter(), moves_with_time || self.wakes()) {
            tables.table(tag::CELLS).fixed(cell);
        }
        let page_purposes = self.plan.find_type(EventType::Page).purposes;
        let site = tables.table(tag::SITE).fixed(self.late_ms).fixed(page_purposes.0);
        site.postcard(|out| {
            out.text(&self.site);
            out.text(&self.currency);
        });
        if self.reads_amounts() {
            tables.table(tag::CURRENCY).raw(self.currency.as_bytes());
        }
        tables.table(tag::PLAN).postcard(|out| postcard::plan(out, &self.plan));
        self.contents.iter().for_each(|content| tables.content(content));
        self.values.iter().for_each(|fact| tables.fact(tag::VALUES, fact));
        for template in &self.templates {
            tables.table(tag::TEMPLATES).postcard(|out| template::template(out, template));
        }
        if let Some(edge) = &self.edge {
            tables.table(tag::EDGE).postcard(|out| postcard::edge_config(out, edge));
            if !edge.goals.is_empty() || !edge.studies.is_empty() {
                tables.table(tag::JUDGED).postcard(|out| postcard::judged(out, edge));
            }
            if !edge.capture.is_empty() {
                tables.table(tag::CAPTURE).postcard(|out| postcard::pairs(out, &edge.capture));
            }
            if !edge.identity.is_empty() {
                tables.table(tag::IDENTITY).postcard(|out| postcard::pairs(out, &edge.identity));
            }
            if !edge.consent_sources.is_empty() {
                tables.table(tag::CONSENT_SOURCES).postcard(|out| out.raw(edge.consent_sources.as_bytes()));
            }
            if let Some(rates) = &edge.rates {
                tables.table(tag::RATES).postcard(|out| postcard::rates(out, rates));
            }
            if !edge.pushed.is_empty() {
                tables.table(tag::PUSHED).postcard(|out| postcard::pushed(out, edge));
            }
        }
        if !self.destinations.is_empty() {
            let section = tables.table(tag::DESTINATIONS);
            section.postcard(|out| destination::destinations(out, &self.destinations));
        }
        tables.bytes()
    }

    /// Whether anything is made of amounts of events.
    fn reads_amounts(&self) -> bool {
        let mut sets = self.attributes.iter().flat_map(|attribute| &attribute.set);
        self.metrics.iter().any(|metric| metric.of_money)
            || self.facts.iter().any(|fact| fact.source == FactSource::OwnCurrency)
            || sets.any(|set| matches!(set.to, SetTo::Amount(_)))
    }

    /// Whether time alone may change what is decided, though no condition tests what moves with it.
    fn wakes(&self) -> bool {
        let has_deadline =
            |rule: &Rule| rule.timing != Timing::default() || matches!(rule.hold, Hold::Time(_));
        !self.sequences.is_empty() || self.rules.iter().any(has_deadline)
    }

    /// The names of all cells, sorted; `rules`: at least those that come with more than a condition; `wakes`: time alone may
    /// change what is decided.
    pub(crate) fn cells<'a>(&self, rules: impl Iterator<Item = &'a Rule> + Clone, wakes: bool) -> Vec<u64> {
        let capped_groups = self.groups.iter().filter(|group| !group.caps.is_empty());
        let mut cells: Vec<u64> = self.metrics.iter().map(|metric| metric.meaning).collect();
        cells.extend(self.sequences.iter().map(|sequence| sequence.meaning));
        cells.extend(self.attributes.iter().map(attribute_hash));
        cells.extend((!self.cart.is_empty()).then_some(CART));
        cells.extend(capped_groups.map(group_hash));
        cells.extend(rules.clone().filter(|rule| rule.timing != Timing::default()).map(timer_hash));
        cells.extend(rules.clone().filter(|rule| rule.emit.is_some()).map(emit_hash));
        cells.extend(wakes.then_some(WOKEN));
        self.deciding_cells(rules, &mut cells);
        cells.sort_unstable();
        cells
    }
}

/// Sections on their way.
#[derive(Default)]
struct Tables {
    sections: BTreeMap<u8, Table>,
    /// Where texts stand that are there already.
    texts: BTreeMap<String, u32>,
}

/// The bytes of one section.
#[derive(Default)]
struct Table(Vec<u8>);

/// A number of a record, as its little-endian bytes.
trait Fixed {
    fn put(self, out: &mut Vec<u8>);
}

macro_rules! fixed {
    ($($number:ty)*) => {
        $(impl Fixed for $number {
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}

fixed!(u8 u16 u32 u64 i16 i32 i64);

impl Table {
    fn fixed(&mut self, number: impl Fixed) -> &mut Self {
        number.put(&mut self.0);
        self
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Ends a record: the rest of its width is zeros.
    fn end(&mut self, size: usize) {
        let length = self.0.len().next_multiple_of(size);
        self.0.resize(length, 0);
    }

    fn postcard(&mut self, write: impl FnOnce(&mut Writer)) {
        let mut out = Writer::new();
        write(&mut out);
        self.raw(&out.into_bytes());
    }

    /// Where the next byte goes.
    fn place(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Which record the next is.
    fn next(&self, size: usize) -> u32 {
        u32::try_from(self.0.len().checked_div(size).unwrap_or(0)).unwrap_or(u32::MAX)
    }
}

impl Tables {
    fn table(&mut self, tag: u8) -> &mut Table {
        self.sections.entry(tag).or_default()
    }

    fn bytes(self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(MAGIC);
        for (tag, Table(content)) in self.sections {
            out.section(tag, &content);
        }
        out.into_bytes()
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(place) = self.texts.get(text) {
            return *place;
        }
        let table = self.table(tag::TEXTS);
        let place = table.place();
        let kept = text.get(..text.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default();
        table.fixed(u16::try_from(kept.len()).unwrap_or(u16::MAX)).raw(kept.as_bytes());
        self.texts.insert(text.into(), place);
        place
    }

    fn attribute(&mut self, attribute: &Attribute) {
        let name = self.text(&attribute.name);
        let sets = self.table(tag::SETS).next(size::NARROW);
        attribute.set.iter().for_each(|set| self.set(set));
        let row = self.table(tag::ATTRIBUTES).fixed(attribute_hash(attribute)).fixed(name).fixed(sets);
        row.fixed(u16::try_from(attribute.set.len()).unwrap_or(u16::MAX)).fixed(attribute.purpose.0);
        let (if_stale, ttl_ms) = attribute.ttl.map_or((0, 0), |ttl| (ttl.if_stale as u8, ttl.ms));
        let kinds =
            [attribute.scope as u8, attribute.attribute_type as u8, attribute.private.into(), if_stale];
        row.raw(&kinds).fixed(ttl_ms).end(size::WIDE);
    }

    fn set(&mut self, set: &AttributeSet) {
        let event = self.text(&set.event);
        let (kind, value) = match &set.to {
            SetTo::Text(text) => (kind::SET_TEXT, self.text(text).into()),
            SetTo::Number(micro) => (kind::SET_NUMBER, *micro),
            SetTo::Bool(bool) => (kind::SET_BOOL, (*bool).into()),
            SetTo::Property(name) => (kind::SET_PROPERTY, self.text(name).into()),
            SetTo::Amount(name) => (kind::SET_AMOUNT, self.text(name).into()),
        };
        self.table(tag::SETS).fixed(value).fixed(event).fixed(kind).end(size::NARROW);
    }

    fn fact(&mut self, table: u8, fact: &Fact) {
        let (source, index, name) = match &fact.source {
            FactSource::Builtin(builtin) => (kind::SOURCE_BUILTIN, *builtin as u16, 0),
            FactSource::Attribute(at) => (kind::SOURCE_ATTRIBUTE, *at, 0),
            FactSource::Metric(at) => (kind::SOURCE_METRIC, *at, 0),
            FactSource::Sequence(at) => (kind::SOURCE_SEQUENCE, *at, 0),
            FactSource::Property(name) => (kind::SOURCE_PROPERTY, 0, self.text(name)),
            FactSource::Difference(a, b) => (kind::SOURCE_DIFFERENCE, a.fact, b.fact.into()),
            FactSource::SameText(a, b) => (kind::SOURCE_SAME_TEXT, *a, (*b).into()),
            FactSource::AnyItem { list, .. } => (kind::SOURCE_ANY_ITEM, 0, self.text(list)),
            FactSource::Item(name) => (kind::SOURCE_ITEM, 0, self.text(name)),
            FactSource::Lookup { table, key, .. } => (kind::SOURCE_LOOKUP, *table, (*key).into()),
            FactSource::Amount { table, currency, .. } => (kind::SOURCE_AMOUNT, *table, self.text(currency)),
            FactSource::SameCount(metric, text) => (kind::SOURCE_SAME_COUNT, *metric, (*text).into()),
            FactSource::Trust => (kind::SOURCE_TRUST, 0, 0),
            FactSource::OwnCurrency => (kind::SOURCE_OWN_CURRENCY, 0, 0),
            FactSource::Clock(zone, _) => (kind::SOURCE_CLOCK, *zone, 0),
        };
        let (shape, texts, count) = match (&fact.shape, &fact.source) {
            (Shape::Number, FactSource::Difference(a, b)) => (kind::SHAPE_NUMBER, 0, counts_of(a, b)),
            (Shape::Number, FactSource::AnyItem { passes, fails, .. }) => {
                (kind::SHAPE_NUMBER, u32::from(*passes) | u32::from(*fails) << 16, 0)
            }
            (Shape::Number, _) => (kind::SHAPE_NUMBER, 0, 0),
            (Shape::Time, _) => (kind::SHAPE_TIME, 0, 0),
            (Shape::OneOf(texts), _) => (kind::SHAPE_ONE_OF, self.list(texts), texts.len()),
            (Shape::Text(test, pattern), _) => {
                (kind::SHAPE_TEXT.saturating_add(*test as u8), self.text(pattern), 0)
            }
        };
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        let (column, number) = match fact.source {
            FactSource::Lookup { column, .. } => (column, 0),
            FactSource::Amount { column, micro, .. } => (column, micro),
            FactSource::Clock(_, builtin) => (builtin as u8, 0),
            _ => (0, 0),
        };
        let row = self.table(table).fixed(fact.default.unwrap_or(number)).fixed(name).fixed(texts);
        row.fixed(count).fixed(index).raw(&[source, shape, fact.default.is_some().into(), column]);
        row.end(size::NARROW);
    }

    /// Where a list of texts begins.
    fn list(&mut self, texts: &[String]) -> u32 {
        let places: Vec<u32> = texts.iter().map(|text| self.text(text)).collect();
        let table = self.table(tag::LISTS);
        let start = table.next(size::PLACE);
        for place in places {
            table.fixed(place);
        }
        start
    }

    fn metric(&mut self, metric: &Metric) {
        let (name, event) = (self.text(&metric.name), self.text(&metric.event));
        let property = metric.property.as_ref().map_or(NO_TEXT, |name| self.text(name));
        let (window, window_ms) = window(metric.window);
        let row = self.table(tag::METRICS).fixed(metric.meaning).fixed(window_ms).fixed(name).fixed(event);
        row.fixed(metric.filter.unwrap_or(NONE)).fixed(metric.threshold).fixed(metric.purpose.0);
        let private = if metric.private { METRIC_PRIVATE } else { 0 };
        let warm = match metric.warm_up {
            WarmUp::Unknown => 0,
            WarmUp::Zero => METRIC_WARM,
            WarmUp::Log => METRIC_FROM_LOG,
        };
        let of_money = if metric.of_money { METRIC_OF_MONEY } else { 0 };
        row.raw(&[window, private | warm | of_money, metric.kind as u8, metric.scope as u8]);
        row.fixed(metric.detail).fixed(property).end(size::WIDE);
    }

    fn score(&mut self, score: &Score) {
        let start = self.table(tag::POINTS).next(size::NARROW);
        for points in &score.points {
            let event = self.text(&points.event);
            let row = self.table(tag::POINTS).fixed(points.micro).fixed(event);
            row.fixed(points.filter.unwrap_or(NONE)).end(size::NARROW);
        }
        let row = self.table(tag::SCORES).fixed(score.half_life_ms).fixed(score.min).fixed(score.max);
        row.fixed(start).fixed(u16::try_from(score.points.len()).unwrap_or(u16::MAX)).end(size::WIDE);
    }

    fn lookup(&mut self, lookup: &Lookup) {
        let name = self.text(&lookup.name);
        let first_row = self.table(tag::LOOKUP_KEYS).next(size::PLACE);
        let first_cell = self.table(tag::LOOKUP_CELLS).next(size_of::<i64>());
        for row in &lookup.rows {
            let key = self.text(&row.key);
            self.table(tag::LOOKUP_KEYS).fixed(key);
            for cell in &row.cells {
                let value = match cell {
                    LookupCell::Missing => NO_CELL,
                    LookupCell::Number(number) => *number,
                    LookupCell::Text(text) => self.text(text).into(),
                };
                self.table(tag::LOOKUP_CELLS).fixed(value);
            }
        }
        let bits = lookup.texts.iter().take(LOOKUP_COLUMNS_MAX).rev();
        let texts = bits.fold(0u32, |bits, is_text| (bits << 1) | u32::from(*is_text));
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let columns = u8::try_from(lookup.texts.len()).unwrap_or(u8::MAX);
        let row = self.table(tag::LOOKUPS).fixed(name).fixed(first_row).fixed(count(lookup.rows.len()));
        row.fixed(first_cell).fixed(texts).fixed(columns).fixed(lookup.feed as u8).end(size::NARROW);
    }

    /// Each test once, in the order of facts, and the code that names them.
    fn code(&mut self, code: &[Instruction]) {
        let mut leaves: Vec<(u16, Test)> = code.iter().map(|op| (op.fact, op.test)).collect();
        leaves.sort_unstable();
        leaves.dedup();
        for op in code {
            let leaf = leaves.partition_point(|leaf| *leaf < (op.fact, op.test));
            let row = self.table(tag::CODE).fixed(u16::try_from(leaf).unwrap_or(u16::MAX));
            row.fixed(jump(op.on_true)).fixed(jump(op.on_false)).end(size::OFFSET);
        }
        leaves.into_iter().for_each(|(fact, test)| self.leaf(tag::LEAVES, fact, test));
    }

    fn leaf(&mut self, table: u8, fact: u16, test: Test) {
        let (test, low, high) = match test {
            Test::Range(low, high) => (kind::TEST_RANGE, low, high),
            Test::Mask(bits) => (kind::TEST_MASK, bits.cast_signed(), 0),
            Test::MaskWide(at) => (kind::TEST_MASK_WIDE, i64::from(at), 0),
            Test::Missing => (kind::TEST_MISSING, 0, 0),
        };
        self.table(table).fixed(low).fixed(high).fixed(fact).fixed(test).end(size::NARROW);
    }

    fn mask(&mut self, words: &[u64]) {
        let table = self.table(tag::WORDS);
        let start = table.next(size_of::<u64>());
        for word in words {
            table.fixed(*word);
        }
        let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        self.table(tag::MASKS).fixed(start).fixed(count).end(size::NARROW);
    }

    fn rule(&mut self, at: u16, rule: &Rule) {
        self.timer(at, rule);
        self.emit(at, rule);
        let (id, caps) = (self.text(&rule.id), self.caps(&rule.caps));
        let (hold, hold_ms) = match rule.hold {
            Hold::Page => (kind::HOLD_PAGE, 0),
            Hold::Session => (kind::HOLD_SESSION, 0),
            Hold::Time(hold_ms) => (kind::HOLD_TIME, hold_ms),
        };
        let row = self.table(tag::RULES).fixed(rule_hash(rule)).fixed(id).fixed(rule.priority).fixed(hold_ms);
        row.fixed(rule.when.unwrap_or(NONE)).fixed(rule.slot).fixed(rule.content);
        row.fixed(rule.group.unwrap_or(NONE)).fixed(rule.purpose.0).fixed(caps);
        row.raw(&[count_u8(&rule.caps), rule.status as u8, hold, rule.in_page.into()]).end(size::WIDE);
    }

    /// Where a list of caps begins.
    fn caps(&mut self, caps: &[Cap]) -> u16 {
        let table = self.table(tag::CAPS);
        let start = table.next(size::NARROW);
        for cap in caps {
            let (window, window_ms) = window(cap.window);
            table.fixed(window_ms).fixed(cap.limit).fixed(window).end(size::NARROW);
        }
        u16::try_from(start).unwrap_or(u16::MAX)
    }

    fn content(&mut self, content: &Content) {
        let table = self.table(tag::CONTENTS);
        let place = table.place();
        table.postcard(|out| postcard::content(out, content));
        self.table(tag::CONTENT_PLACES).fixed(place);
    }
}

/// Which side of a difference is a whole count.
fn counts_of(first: &Term, second: &Term) -> usize {
    let flag = |term: &Term, flag: u16| if term.is_count { usize::from(flag) } else { 0 };
    flag(first, kind::FIRST_IS_COUNT) | flag(second, kind::SECOND_IS_COUNT)
}

fn count_u8(caps: &[Cap]) -> u8 {
    u8::try_from(caps.len()).unwrap_or(u8::MAX)
}

const fn window(window: Window) -> (u8, u64) {
    match window {
        Window::Page => (kind::WINDOW_PAGE, 0),
        Window::Session => (kind::WINDOW_SESSION, 0),
        Window::Sliding(window_ms) => (kind::WINDOW_SLIDING, window_ms),
        Window::Today => (kind::WINDOW_TODAY, 0),
        Window::Week => (kind::WINDOW_WEEK, 0),
        Window::Month => (kind::WINDOW_MONTH, 0),
        Window::Ever => (kind::WINDOW_EVER, 0),
    }
}

const fn jump(jump: Jump) -> u16 {
    match jump {
        Jump::To(at) => at,
        Jump::Accept => ACCEPT,
        Jump::Reject => REJECT,
    }
}
