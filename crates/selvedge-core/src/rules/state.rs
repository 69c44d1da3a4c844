//! The life of a visitor's state: birth, alignment to a program, the part a page may see.

use super::program::{ACCEPT, Program, group_hash, rule_hash};
use crate::consent::Purposes;
use crate::hash::fnv1a_64;
use crate::id::WriterId;
use crate::wire::program::FactSource;
use crate::wire::state::{CapCell, Cell, CellBody, CountCell, Held, PageView, Session, VisitorState};
use alloc::vec;
use alloc::vec::Vec;

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
        }
    }

    /// The part that the page of `writer` may see: only cells that rules of the page read and that are not private, only
    /// its own page view. `program` is the full one.
    #[must_use]
    pub fn public(&self, program: &Program, writer: WriterId) -> Self {
        let shown = shown_cells(program);
        let is_shown = |cell: &&Cell| !cell.is_old && shown.binary_search(&cell.hash).is_ok();
        let rules: Vec<u64> = program.parts().rules.iter().map(rule_hash).collect();
        let is_live = |held: &Held| rules.contains(&held.rule);
        let mut pages: Vec<PageView> =
            self.pages.iter().filter(|page| page.writer == writer).cloned().collect();
        for page in &mut pages {
            page.held.retain(is_live);
            page.counts.retain(|(hash, _)| shown.binary_search(hash).is_ok());
        }
        Self {
            session: self.session.clone(),
            pages,
            held: self.held.iter().copied().filter(is_live).collect(),
            cells: self.cells.iter().filter(is_shown).cloned().collect(),
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

    /// What a cell holds.
    pub(super) fn body(&self, hash: u64) -> Option<&CellBody> {
        let at = self.cells.binary_search_by_key(&hash, |cell| cell.hash).ok()?;
        self.cells.get(at).map(|cell| &cell.body)
    }

    /// What a cell holds, to be changed.
    pub(super) fn body_mut(&mut self, hash: u64) -> Option<&mut CellBody> {
        let at = self.cells.binary_search_by_key(&hash, |cell| cell.hash).ok()?;
        self.cells.get_mut(at).map(|cell| &mut cell.body)
    }

    /// Puts `body` into a cell.
    pub(super) fn set_body(&mut self, hash: u64, body: CellBody) {
        let cell = Cell { hash, is_old: false, body };
        match self.cells.binary_search_by_key(&hash, |cell| cell.hash) {
            Ok(at) => self.cells.iter_mut().skip(at).take(1).for_each(|place| *place = cell.clone()),
            Err(at) => self.cells.insert(at, cell),
        }
    }

    /// A metric's count, where it is kept.
    pub(super) fn count(&self, meaning: u64) -> Option<&CountCell> {
        match self.body(meaning)? {
            CellBody::Count(count) => Some(count),
            _ => None,
        }
    }

    /// A metric's count, to be changed.
    pub(super) fn count_mut(&mut self, meaning: u64) -> Option<&mut CountCell> {
        match self.body_mut(meaning)? {
            CellBody::Count(count) => Some(count),
            _ => None,
        }
    }

    /// What is known of a capped rule or group.
    pub(super) fn cap(&self, hash: u64) -> Option<&CapCell> {
        match self.body(hash)? {
            CellBody::Cap(cap) => Some(cap),
            _ => None,
        }
    }

    /// Fits the cells to a program that it was not stepped under before. A metric that is new to a known visitor is
    /// observed from now on; cells that the program does not know are kept one generation.
    pub(super) fn align(&mut self, program: &Program, now_ms: i64) {
        if self.layout == program.layout() {
            return;
        }
        let since_ms = if self.layout == 0 { self.born_ms } else { now_ms };
        self.layout = program.layout();
        let is_known = |hash: &u64| program.cells().binary_search(hash).is_ok();
        self.cells.retain_mut(|cell| {
            let was_old = cell.is_old;
            cell.is_old = !is_known(&cell.hash);
            !(was_old && cell.is_old)
        });
        for metric in &program.parts().metrics {
            if self.count(metric.meaning).is_none() {
                self.set_body(
                    metric.meaning,
                    CellBody::Count(CountCell { since_ms, ..CountCell::default() }),
                );
            }
        }
        let slots: Vec<u64> =
            program.parts().slots.iter().map(|slot| fnv1a_64(slot.name.as_bytes())).collect();
        self.held.retain(|held| slots.contains(&held.slot));
        for page in &mut self.pages {
            page.held.retain(|held| slots.contains(&held.slot));
            page.counts.retain(|(hash, _)| is_known(hash));
        }
    }
}

/// The cells that a page may see, sorted: what its rules read, without what is private, and the caps of its rules.
fn shown_cells(program: &Program) -> Vec<u64> {
    let parts = program.parts();
    let mut shown = Vec::new();
    for (fact, is_read) in parts.facts.iter().zip(facts_of_page(program)) {
        match fact.source {
            FactSource::Metric(at) if is_read => {
                let metric = parts.metrics.get(usize::from(at)).filter(|metric| !metric.private);
                shown.extend(metric.map(|metric| metric.meaning));
            }
            FactSource::Attribute(at) if is_read => {
                let attribute = parts.attributes.get(usize::from(at)).filter(|attribute| !attribute.private);
                let hash = program.attribute_hashes().get(usize::from(at));
                shown.extend(attribute.and(hash));
            }
            _ => {}
        }
    }
    for rule in parts.rules.iter().filter(|rule| rule.in_page) {
        shown.push(rule_hash(rule));
        let group = rule.group.and_then(|at| parts.groups.get(usize::from(at)));
        shown.extend(group.map(group_hash));
    }
    shown.sort_unstable();
    shown
}

/// For each fact, whether a rule of the page reads it. Jumps lead forward, so one pass over the code finds all.
fn facts_of_page(program: &Program) -> Vec<bool> {
    let mut is_reached = vec![false; program.ops().len()];
    let mut is_read = vec![false; program.parts().facts.len()];
    let mark = |marks: &mut [bool], at: u16| {
        if let Some(mark) = marks.get_mut(usize::from(at)) {
            *mark = true;
        }
    };
    for head in program.candidates().iter().filter(|head| head.in_page && head.when != ACCEPT) {
        mark(&mut is_reached, head.when);
    }
    for (at, op) in program.ops().iter().enumerate() {
        if is_reached.get(at).copied().unwrap_or(false) {
            mark(&mut is_reached, op.on_true);
            mark(&mut is_reached, op.on_false);
            mark(&mut is_read, op.fact);
        }
    }
    is_read
}
