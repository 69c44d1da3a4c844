//! The life of a visitor's state: birth, alignment to a program, the part a page may see.

use super::cart;
use super::metric::blank;
use super::sequences::{begun, miss};
use crate::consent::Purposes;
use crate::id::WriterId;
use crate::wire::program::{
    Builtin, Image, MetricRow, SITE_CAPS, TermsRow, TimerRow, USER, WOKEN, dismissals_of, kind, op_of,
    per_value_of, slot_caps_hash,
};
use crate::wire::state::{
    CART, Cell, CellBody, Held, Marks, MetricCell, PageView, SequenceCell, Session, VisitorState,
};
use alloc::vec;
use alloc::vec::Vec;

/// The layout of a state whose cells were wiped: the next step aligns it.
pub const WIPED: u64 = 1;

impl VisitorState {
    /// The state of a visitor that was first heard of at `born_ms`: all of its counts are 0, known.
    #[must_use]
    pub fn new(born_ms: i64) -> Self {
        Self {
            publish: 0,
            layout: 0,
            born_ms,
            last_time_ms: None,
            in_force: Purposes(u16::MAX),
            session: Session::default(),
            pages: Vec::new(),
            held: Vec::new(),
            cells: Vec::new(),
            marks: Marks::default(),
        }
    }

    /// The part that the page of `writer` may see: only cells that rules of the page read and that are not private, only
    /// its own page view. `image` is that of the full program.
    #[must_use]
    pub fn public(&self, image: &Image, writer: WriterId) -> Self {
        let shown = shown_cells(image);
        let is_shown = |cell: &&Cell| !cell.is_old && shown.binary_search(&cell.hash).is_ok();
        // What a rule of the edge alone reads stays there; the page gets the outcome.
        let of_page = |held: &[Held]| {
            let shown = held.iter().filter_map(|held| {
                let rule = image.each_rule().find(|rule| rule.hash() == held.rule)?;
                let fixed = held.fixed.clone().filter(|_| rule.in_page());
                Some(Held { fixed, ..held.clone() })
            });
            shown.collect()
        };
        let mut pages: Vec<PageView> =
            self.pages.iter().filter(|page| page.writer == writer).cloned().collect();
        for page in &mut pages {
            page.held = of_page(&page.held);
            page.counts.retain(|(hash, _)| shown.binary_search(hash).is_ok());
            page.kept.retain(|(hash, _)| shown.binary_search(hash).is_ok());
        }
        Self {
            session: self.session.clone(),
            pages,
            held: of_page(&self.held),
            cells: self.cells.iter().filter(is_shown).cloned().collect(),
            marks: Marks::default(),
            ..*self
        }
    }

    /// Now, as rules see it: it never stands before the newest applied event.
    pub(super) fn now_ms(&self, moment_ms: i64) -> i64 {
        self.last_time_ms.map_or(moment_ms, |last_ms| last_ms.max(moment_ms))
    }

    /// The page view of a writer.
    pub(super) fn page(&self, writer: WriterId) -> Option<&PageView> {
        self.pages.iter().find(|page| page.writer == writer)
    }

    /// The page view of a writer.
    pub(super) fn page_mut(&mut self, writer: WriterId) -> Option<&mut PageView> {
        self.pages.iter_mut().find(|page| page.writer == writer)
    }

    /// Lets go what is held up to `now_ms`, and, where the session ends, what is held for it.
    pub(super) fn prune_held(&mut self, ends_session: bool, now_ms: i64) {
        self.held.retain(|held| held.until_ms.map_or(!ends_session, |until_ms| until_ms > now_ms));
    }

    /// What a cell holds.
    pub(super) fn body(&self, hash: u64) -> Option<&CellBody> {
        self.cells.get(self.place(hash).ok()?).map(|cell| &cell.body)
    }

    /// What a cell holds, to be changed.
    pub(super) fn body_mut(&mut self, hash: u64) -> Option<&mut CellBody> {
        let at = self.place(hash).ok()?;
        self.marks.touch(hash);
        self.cells.get_mut(at).map(|cell| &mut cell.body)
    }

    /// Puts `body` into a cell.
    pub(super) fn set_body(&mut self, hash: u64, body: CellBody) {
        self.marks.touch(hash);
        match self.place(hash) {
            Ok(at) => {
                if let Some(cell) = self.cells.get_mut(at) {
                    cell.body = body;
                }
            }
            Err(at) => self.cells.insert(at, Cell { hash, is_old: false, body }),
        }
    }

    /// Where a cell is, or would be.
    fn place(&self, hash: u64) -> Result<usize, usize> {
        self.cells.binary_search_by_key(&hash, |cell| cell.hash)
    }

    /// What a metric keeps, to be changed.
    pub(super) fn metric_mut(&mut self, meaning: u64) -> Option<&mut MetricCell> {
        match self.body_mut(meaning)? {
            CellBody::Metric(cell) => Some(cell),
            _ => None,
        }
    }

    /// A session begins at `start_ms`: what metrics of the program before counted in the one that ended is over.
    pub(super) fn age(&mut self, start_ms: i64) {
        for cell in self.cells.iter_mut().filter(|cell| cell.is_old) {
            if let CellBody::Metric(metric) = &mut cell.body {
                metric.since_ms = metric.since_ms.max(start_ms.wrapping_add(1));
            }
        }
    }

    /// Where a sequence stands.
    pub(super) fn sequence(&self, meaning: u64) -> Option<&SequenceCell> {
        match self.body(meaning)? {
            CellBody::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// Where a sequence stands, to be changed.
    pub(super) fn sequence_mut(&mut self, meaning: u64) -> Option<&mut SequenceCell> {
        match self.body_mut(meaning)? {
            CellBody::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// Fits the cells to a program that it was not stepped under before. A metric that is new to a known visitor is
    /// observed from now on; cells that the program does not know are kept one generation. What comes back from there went
    /// unobserved meanwhile: what it holds stays true as a lower bound.
    pub(super) fn align(&mut self, image: &Image, now_ms: i64) {
        self.align_to(image, now_ms, false);
    }

    /// As [`Self::align`], of the state of an account.
    pub(super) fn align_account(&mut self, image: &Image, now_ms: i64) {
        self.align_to(image, now_ms, true);
    }

    fn align_to(&mut self, image: &Image, now_ms: i64, is_account: bool) {
        if self.layout == image.layout() {
            return;
        }
        let since_ms = if self.layout == 0 { self.born_ms } else { now_ms };
        // What was wiped, for want of its purpose, is never taken for nothing.
        let is_new_alone = self.layout != WIPED;
        self.layout = image.layout();
        self.marks.touch_all();
        let mut returned = Vec::new();
        self.cells.retain_mut(|cell| {
            let was_old = core::mem::replace(&mut cell.is_old, !image.is_cell(cell.hash));
            if was_old && !cell.is_old {
                returned.push(cell.hash);
            }
            !(was_old && cell.is_old)
        });
        let session_ms = self.session.start_ms;
        for metric in image.each_metric() {
            let is_here = (metric.scope() == kind::OF_ACCOUNT) == is_account;
            if let Some(cell) = self.metric_mut(metric.meaning()) {
                if returned.contains(&metric.meaning()) {
                    come_back(cell, metric, session_ms, now_ms);
                }
            } else if is_here {
                let is_taken = is_new_alone && metric.is_warm();
                let since_ms = if is_taken { self.born_ms } else { since_ms };
                let kept = blank(metric);
                self.set_body(metric.meaning(), CellBody::Metric(MetricCell { since_ms, kept }));
            }
        }
        if !is_account && image.is_cell(CART) {
            match self.body_mut(CART) {
                Some(CellBody::Cart(cart)) if returned.contains(&CART) => cart::miss(cart),
                Some(_) => {}
                None => self.set_body(CART, CellBody::Cart(cart::blank(since_ms == self.born_ms))),
            }
        }
        for sequence in image.each_sequence().filter(|_| !is_account) {
            if let Some(cell) = self.sequence_mut(sequence.meaning()) {
                if returned.contains(&sequence.meaning()) {
                    miss(cell, sequence, now_ms);
                }
            } else {
                let cell = begun(sequence, since_ms, self.born_ms);
                self.set_body(sequence.meaning(), CellBody::Sequence(cell));
            }
        }
    }
}

/// A metric is observed again from now on. What it counted in a session that ended meanwhile ([`VisitorState::age`]) is
/// nothing of the present one.
fn come_back(cell: &mut MetricCell, metric: MetricRow, session_ms: i64, now_ms: i64) {
    if metric.window() == kind::WINDOW_SESSION && cell.since_ms > session_ms {
        cell.kept = blank(metric);
    }
    cell.since_ms = cell.since_ms.max(now_ms);
}

/// The cells that a page may see, sorted: what its rules read, without what is private, and the caps of its rules.
fn shown_cells(image: &Image) -> Vec<u64> {
    let mut shown = Vec::new();
    for (at, is_read) in (0..).zip(facts_of_page(image)) {
        let fact = image.fact(at);
        let (metric, attribute) = (image.metric(fact.index()), image.attribute(fact.index()));
        match fact.source() {
            kind::SOURCE_METRIC | kind::SOURCE_SAME_COUNT if is_read && !metric.is_private() => {
                shown.push(metric.meaning())
            }
            kind::SOURCE_SEQUENCE if is_read && !image.sequence(fact.index()).is_private() => {
                shown.push(image.sequence(fact.index()).meaning());
            }
            kind::SOURCE_BUILTIN if is_read => {
                let builtin = u8::try_from(fact.index()).ok().and_then(Builtin::from_number);
                shown.extend(builtin.filter(|builtin| builtin.is_of_cart()).map(|_| CART));
            }
            kind::SOURCE_ATTRIBUTE if is_read && !attribute.is_private() => shown.push(attribute.hash()),
            _ => {}
        }
    }
    for (at, rule) in (0..).zip(image.each_rule()).filter(|(_, rule)| rule.in_page()) {
        let (name, terms) = (rule.hash(), image.terms(at));
        shown.extend([name, dismissals_of(name), per_value_of(name), WOKEN]);
        shown.extend(image.group(rule.group()).map(|group| group.hash()));
        for (flag, at) in [(kind::TERM_HOLDOUT, terms.holdout()), (kind::TERM_TRIAL, terms.experiment())] {
            shown.extend(Some(image.experiment(at).hash()).filter(|_| terms.has(flag)));
        }
    }
    let is_in_page = |timer: &TimerRow| image.rule(timer.rule()).in_page();
    shown.extend(image.each_timer().filter(is_in_page).map(|timer| timer.hash()));
    shown.extend(image.each_slot().map(|slot| slot_caps_hash(slot.hash())));
    shown.extend([SITE_CAPS, USER]);
    shown.sort_unstable();
    shown
}

/// For each fact, whether a rule of the page reads it. Jumps lead forward, so one pass over the code finds all.
fn facts_of_page(image: &Image) -> Vec<bool> {
    let code = image.code();
    let mut is_reached = vec![false; usize::from(u16::MAX) + 1];
    let mut is_read = vec![false; image.facts().into()];
    let mark = |marks: &mut [bool], at: u16| {
        if let Some(mark) = marks.get_mut(usize::from(at)) {
            *mark = true;
        }
    };
    for (at, rule) in (0..).zip(image.each_rule()).filter(|(_, rule)| rule.in_page()) {
        mark(&mut is_reached, rule.when());
        let terms = image.terms(at);
        mark_terms(image, terms, |at| mark(&mut is_reached, at));
        if terms.has(kind::TERM_PER_VALUE) {
            mark(&mut is_read, terms.value_fact());
        }
    }
    let ops = (0..u16::MAX).map_while(|at| Some((at, op_of(code, at)?)));
    for (at, op) in ops {
        if is_reached.get(usize::from(at)).copied().unwrap_or(false) {
            mark(&mut is_reached, op.jumps.on_true());
            mark(&mut is_reached, op.jumps.on_false());
            mark(&mut is_read, op.fact());
        }
    }
    // What compares two facts reads both, which stand before it.
    for at in (0..image.facts()).rev() {
        let fact = image.fact(at);
        if !is_read.get(usize::from(at)).copied().unwrap_or(false) {
            continue;
        }
        match fact.source() {
            kind::SOURCE_DIFFERENCE | kind::SOURCE_SAME_TEXT => {
                mark(&mut is_read, fact.index());
                mark(&mut is_read, fact.second());
            }
            kind::SOURCE_SAME_COUNT => mark(&mut is_read, fact.second()),
            _ => {}
        }
    }
    is_read
}

/// Marks where the conditions of a rule's terms begin.
fn mark_terms(image: &Image, terms: TermsRow, mut mark: impl FnMut(u16)) {
    for (flag, at) in [(kind::TERM_UNTIL, terms.until()), (kind::TERM_SCHEDULE, terms.schedule())] {
        if terms.has(flag) {
            mark(at);
        }
    }
    for at in (0..32).filter(|at| (terms.suppressions() >> at) & 1 == 1) {
        mark(image.suppression_when(at));
    }
}
