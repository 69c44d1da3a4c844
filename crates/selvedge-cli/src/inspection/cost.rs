//! What a condition costs: its tests, and the longest way through them. Jumps lead forward, so each ends.

use selvedge_core::wire::program::{Instruction, Jump};
use std::collections::BTreeSet;

/// The places of all tests of the condition that begins at `start`.
#[must_use]
pub fn tests_of(code: &[Instruction], start: Option<u16>) -> BTreeSet<u16> {
    let mut found = BTreeSet::new();
    let mut open: BTreeSet<u16> = start.into_iter().collect();
    while let Some(at) = open.pop_first() {
        let Some(test) = code.get(usize::from(at)) else { continue };
        found.insert(at);
        for jump in [test.on_true, test.on_false] {
            if let Jump::To(next) = jump {
                open.insert(next);
            }
        }
    }
    found
}

/// How many tests the condition makes at most.
#[must_use]
pub fn tests_max(code: &[Instruction], start: Option<u16>) -> usize {
    let mut longest = std::collections::BTreeMap::new();
    for at in tests_of(code, start).into_iter().rev() {
        let Some(test) = code.get(usize::from(at)) else { continue };
        let behind = |jump: Jump| match jump {
            Jump::To(next) => longest.get(&next).copied().unwrap_or(0),
            Jump::Accept | Jump::Reject => 0,
        };
        let most: usize = behind(test.on_true).max(behind(test.on_false));
        longest.insert(at, most + 1);
    }
    start.and_then(|start| longest.get(&start).copied()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_core::wire::program::Test;

    fn test(on_true: Jump, on_false: Jump) -> Instruction {
        Instruction { fact: 0, test: Test::Missing, on_true, on_false }
    }

    #[test]
    fn the_longest_way_is_what_a_condition_may_cost() {
        let code = [
            test(Jump::To(2), Jump::To(1)),
            test(Jump::To(2), Jump::Reject),
            test(Jump::Accept, Jump::Reject),
            test(Jump::Accept, Jump::Reject),
        ];
        assert_eq!(tests_of(&code, Some(0)).len(), 3);
        assert_eq!(tests_max(&code, Some(0)), 3);
        assert_eq!(tests_max(&code, Some(3)), 1);
        assert_eq!(tests_max(&code, None), 0);
    }
}
