//! What every source of consent in a page says, and what they say together: a purpose is granted where one source grants it
//! and none denies it. A source that is awaited, or asks the visitor at this moment, keeps anything new from being granted.

use super::{Signals, Statement};
use crate::mutation::{Mutation, is_planted};

/// How many kinds of source there are: as many as [`Signals`] has bits.
pub const SOURCES: usize = Signals::NAMES.len();

/// What one source said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voice {
    /// Of our purposes.
    pub statement: Statement,
    /// The hash of the text that says it; 0 where it said it without one.
    pub text_hash: u64,
}

impl Voice {
    /// Whether the source said anything at all.
    #[must_use]
    pub const fn is_heard(&self) -> bool {
        !self.statement.is_empty() || self.text_hash != 0
    }
}

/// What the sources said, each at the place of its bit in [`Signals`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voices {
    said: [Voice; SOURCES],
    /// Sources that this page has heard of.
    met: Signals,
    awaited: Signals,
    asking: Signals,
}

impl Voices {
    /// Nobody said anything, and nobody is awaited.
    pub const NONE: Self = Self {
        said: [Voice { statement: Statement::NONE, text_hash: 0 }; SOURCES],
        met: Signals::NONE,
        awaited: Signals::NONE,
        asking: Signals::NONE,
    };

    /// Awaits these sources, but those that were met already. What platforms said that the site reads no more is forgotten;
    /// the plain API and servers are always heard.
    pub fn expect(&mut self, sources: Signals) {
        self.awaited = Signals(sources.0 & !self.met.0);
        let heard = sources.or(Signals::API).or(Signals::SERVER);
        for (at, voice) in self.said.iter_mut().enumerate() {
            if (heard.0 >> at) & 1 == 0 {
                *voice = Voice::default();
            }
        }
    }

    /// A source says this from now on. A source that does not exist is not heard.
    pub fn hear(&mut self, source: Signals, voice: Voice) {
        self.meet(source);
        self.recall(source, voice);
    }

    /// A source said this on an earlier page; on this one it is still to be met.
    pub fn recall(&mut self, source: Signals, voice: Voice) {
        if let Some(said) = self.at(source) {
            *said = voice;
        }
    }

    /// A source is not there, or not yet: it is awaited no longer. What it said before stays.
    pub fn meet(&mut self, source: Signals) {
        self.met = self.met.or(source);
        self.awaited = Signals(self.awaited.0 & !source.0);
        self.asking = Signals(self.asking.0 & !source.0);
    }

    /// A source is there and has no answer of the visitor, or cannot say which.
    pub fn ask(&mut self, source: Signals) {
        self.meet(source);
        self.asking = self.asking.or(source);
    }

    /// Another page of the device knows more of what was said; what this one waits for stays.
    pub fn follow(&mut self, other: &Self) {
        self.said = other.said;
    }

    /// What was said does not count any more.
    pub fn forget(&mut self) {
        self.said = Default::default();
    }

    /// What a source said.
    #[must_use]
    pub fn of(&self, source: Signals) -> Voice {
        let voices = self.said.iter().enumerate();
        voices.fold(Voice::default(), |found, (at, voice)| if source.0 == 1 << at { *voice } else { found })
    }

    fn at(&mut self, source: Signals) -> Option<&mut Voice> {
        self.said.iter_mut().enumerate().find_map(|(at, voice)| (source.0 == 1 << at).then_some(voice))
    }

    /// All that was said, source by source.
    pub fn heard(&self) -> impl Iterator<Item = (Signals, &Voice)> {
        let voices = self.said.iter().enumerate();
        voices.map(|(at, voice)| (Signals(1 << at), voice)).filter(|(_, voice)| voice.is_heard())
    }

    /// What they say together, who said it, and the hash of their texts.
    #[must_use]
    pub fn fold(&self) -> (Statement, Signals, u64) {
        let nobody = (Statement::default(), Signals::NONE, 0);
        self.heard().fold(nobody, |(sum, signals, hash), (source, voice)| {
            let sum = if is_planted(Mutation::LastSourceCounts) {
                voice.statement
            } else {
                sum.and(voice.statement)
            };
            (sum, signals.or(source), hash ^ voice.text_hash)
        })
    }

    /// Whether a source is awaited.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.awaited.0 != 0
    }

    /// Whether a source asks the visitor at this moment, or cannot say what the visitor answered.
    #[must_use]
    pub const fn is_asking(&self) -> bool {
        self.asking.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::{Mode, Purposes, Snapshot, gpp, tcf};
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn voice(granted: u16, denied: u16) -> Voice {
        let (granted, denied) = (Purposes(granted).without(Purposes(denied)), Purposes(denied));
        Voice { statement: Statement { granted, denied }, text_hash: 0 }
    }

    fn heard(said: &[(u8, u16, u16)]) -> Voices {
        let mut voices = Voices::default();
        for (at, granted, denied) in said {
            voices.hear(Signals(1 << (at % 7)), voice(*granted, *denied));
        }
        voices
    }

    fn in_force(voices: &Voices, mode: Mode) -> Purposes {
        let (Statement { granted, denied }, ..) = voices.fold();
        Snapshot { granted, denied, mode, ..Snapshot::default() }.in_force()
    }

    #[test]
    fn one_denial_outweighs_every_grant() {
        let voices = heard(&[(0, 0b1110, 0), (2, 0b1110, 0), (3, 0, 0b1000)]);
        assert_eq!(in_force(&voices, Mode::OptIn), Purposes(0b0111));
        assert_eq!(voices.fold().1, Signals::API.or(Signals::TCF).or(Signals::GPP));
    }

    #[test]
    fn a_source_is_awaited_once_and_then_met() {
        let mut voices = Voices::default();
        voices.expect(Signals::TCF.or(Signals::GPP));
        voices.hear(Signals::TCF, voice(2, 0));
        assert!(voices.is_waiting());
        voices.meet(Signals::GPP);
        assert!(!voices.is_waiting());
        voices.expect(Signals::TCF.or(Signals::GPP));
        assert!(!voices.is_waiting());
    }

    #[test]
    fn who_asks_is_heard_again_when_it_says_something() {
        let mut voices = heard(&[(2, 2, 0)]);
        voices.ask(Signals::TCF);
        assert!(voices.is_asking());
        voices.hear(Signals::TCF, voice(0, 2));
        assert!(!voices.is_asking());
        assert!(in_force(&voices, Mode::OptOut).without(Purposes(!2)).is_empty());
    }

    #[test]
    fn what_a_source_said_that_is_read_no_more_is_forgotten() {
        let mut voices = heard(&[(0, 2, 0), (2, 0, 2)]);
        voices.expect(Signals::GPP);
        assert_eq!(in_force(&voices, Mode::OptIn), Purposes(0b11));
    }

    proptest! {
        /// What is granted was granted by a source and denied by none; a source more, or a denial more, never opens what a
        /// source closed; the order does not matter.
        #[test]
        fn the_fold_never_grants_more_than_its_sources(
            said in prop::collection::vec((0u8..7, 0u16..16, 0u16..16), 0..7), more in (0u8..7, 0u16..16)
        ) {
            // One word of each source: a second would be in place of the first.
            let mut said: Vec<_> = said;
            said.sort_by_key(|(at, ..)| *at);
            said.dedup_by_key(|(at, ..)| *at);
            let voices = heard(&said);
            let (sum, ..) = voices.fold();
            let every = said.iter().fold(Purposes::NONE, |every, (_, granted, _)| every.or(Purposes(*granted)));
            prop_assert!(every.holds(sum.granted));
            for (_, _, denied) in &said {
                prop_assert!(sum.granted.and(Purposes(*denied)).is_empty());
                for mode in [Mode::OptIn, Mode::OptOut, Mode::Exempt] {
                    let open = in_force(&voices, mode).without(Purposes::NECESSARY);
                    prop_assert!(open.and(Purposes(*denied)).is_empty());
                }
            }
            let mut backwards = said.clone();
            backwards.reverse();
            prop_assert_eq!(heard(&backwards).fold(), voices.fold());
            // A source of its own that only denies closes, and opens nothing.
            if said.iter().all(|(at, ..)| *at != more.0) {
                let mut closing = said.clone();
                closing.push((more.0, 0, more.1));
                prop_assert!(sum.granted.holds(heard(&closing).fold().0.granted));
            }
        }

        /// What cannot be read grants nothing, whoever else grants.
        #[test]
        fn a_text_that_cannot_be_read_closes_everything(text in "\\PC{0,40}", vendor: u16, granted in 0u16..16) {
            for statement in [
                tcf::statement(text.as_bytes(), Some(vendor), &tcf::Asked::default()),
                gpp::statement(text.as_bytes(), &[2, 5, 6, 7, 8], Some(vendor), &tcf::Asked::default()),
            ] {
                let mut voices = heard(&[(0, granted, 0)]);
                voices.hear(Signals::TCF, Voice { statement, text_hash: 1 });
                prop_assert_eq!(in_force(&voices, Mode::OptOut), Purposes::NECESSARY);
            }
        }
    }
}
