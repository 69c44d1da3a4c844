//! Recorded visitors across the stage, several at once.

use super::behind::{Behind, Detail};
use super::given::Given;
use super::stage::Stage;
use super::visitor::{ALL_PURPOSES, Visitor};
use crate::recorded::History;
use crate::recorded::happened::{Happened, Recorded};
use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use selvedge_core::event::EventType;
use selvedge_core::id::VisitorId;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

/// When a page view ends, and what counts as seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Events that begin a page view besides `page` events.
    pub pages: PageViews,
    /// What a slot shows counts as seen.
    pub is_seen: bool,
}

/// Which events begin a page view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageViews {
    /// Those that say so.
    Recorded,
    /// Every one: the recording says of none.
    Each,
    /// Those with these names.
    Named(BTreeSet<String>),
}

impl Manner {
    /// The manner that fits a recording: exposures and page views as it has them; where it has none, what a slot shows
    /// counts as seen, and each event as a page view.
    #[must_use]
    pub fn of(history: &History, pages: &[String]) -> Self {
        let has_pages = history.has(EventType::Page.as_str());
        let pages = match (pages, has_pages) {
            ([], true) => PageViews::Recorded,
            ([], false) => PageViews::Each,
            (named, _) => PageViews::Named(named.iter().cloned().collect()),
        };
        Self { pages, is_seen: !history.has(EventType::Exposure.as_str()) }
    }

    fn begins_page(&self, happened: &Happened) -> bool {
        match &self.pages {
            PageViews::Recorded => false,
            PageViews::Each => happened.event_type != EventType::Exposure,
            PageViews::Named(names) => names.contains(&happened.name),
        }
    }
}

/// One recorded visitor on a stage.
pub struct Walker<'a> {
    visitor: Visitor<'a>,
    manner: &'a Manner,
}

impl<'a> Walker<'a> {
    /// A visitor that has done nothing yet.
    #[must_use]
    pub fn new(stage: &'a Stage, id: VisitorId, manner: &'a Manner, given: Given, detail: Detail) -> Self {
        let visitor = Visitor::new(stage, id, ALL_PURPOSES, detail).with(given);
        let visitor = if manner.is_seen { visitor } else { visitor.without_exposures() };
        Self { visitor, manner }
    }

    /// What stands behind the next recorded event.
    ///
    /// # Errors
    /// Where the edge itself fails.
    pub fn step(&mut self, recorded: &Recorded) -> Result<Behind> {
        let happened = &recorded.happened;
        if let Some(granted) = recorded.granted {
            self.visitor.grant(granted, happened.time_ms);
        }
        if self.manner.begins_page(happened) {
            self.visitor.end_page_view(happened.writer)?;
        }
        self.visitor.step(happened)
    }

    /// What the visitor was counted under, of experiments.
    pub fn units(&self) -> &[String] {
        self.visitor.units()
    }

    /// The visitor itself.
    pub const fn visitor(&mut self) -> &mut Visitor<'a> {
        &mut self.visitor
    }
}

/// Takes every visitor through `walk`, on all cores, and adds up what came of it in the order of the visitors.
///
/// # Errors
/// The first that a walk has.
pub fn each_visitor<T: Default + Send>(
    history: &History,
    walk: impl Fn(VisitorId, &[Recorded], &mut T) -> Result<()> + Sync,
    mut add: impl FnMut(&mut T, T),
) -> Result<T> {
    let bar = events_bar(history.events() as u64);
    let visitors: Vec<_> = history.visitors.iter().collect();
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let size = visitors.len().div_ceil(lanes).max(1);
    let fault = Mutex::new(None);
    let lane = |chunk: &[(&VisitorId, &Vec<Recorded>)]| {
        let mut part = T::default();
        for (id, events) in chunk {
            if let Err(found) = walk(**id, events, &mut part) {
                if let Ok(mut fault) = fault.lock() {
                    fault.get_or_insert(found);
                }
                break;
            }
            bar.inc(events.len() as u64);
        }
        part
    };
    let lane = &lane;
    let parts: Vec<T> = thread::scope(|scope| {
        let threads: Vec<_> = visitors.chunks(size).map(|chunk| scope.spawn(move || lane(chunk))).collect();
        let parts = threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a lane ended")));
        parts.collect::<Result<_>>()
    })?;
    bar.finish_and_clear();
    match fault.into_inner() {
        Ok(Some(fault)) => Err(fault),
        _ => {
            let mut whole = T::default();
            parts.into_iter().for_each(|part| add(&mut whole, part));
            Ok(whole)
        }
    }
}

fn events_bar(events: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} events, {eta} left");
    ProgressBar::new(events).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::events_bar;
    use indicatif::{ProgressDrawTarget, TermLike};
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal of 60 columns that keeps what is written on it.
    #[derive(Debug, Clone, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl Terminal {
        fn written(&self) -> String {
            self.0.lock().map(|text| text.clone()).unwrap_or_default()
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            60
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("one thread").push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().expect("one thread").clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_says_how_many_events_are_behind_and_leaves_nothing() {
        let terminal = Terminal::default();
        let bar = events_bar(2_000);
        bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        bar.inc(500);
        bar.tick();
        let written = terminal.written();
        assert!(written.contains("500 of 2000 events"), "{written}");
        assert!(written.contains('█'), "{written}");
        bar.finish_and_clear();
        assert_eq!(terminal.written().trim(), "");
    }
}
