//! A map of few entries: pairs in one piece, sorted by their keys. A tree is several kilobytes of code for each two types that
//! it holds, and faster only for more entries than a site has of anything here.

use alloc::vec::Vec;
use core::borrow::Borrow;

/// Pairs, sorted by their keys; no key stands twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs<K, V>(Vec<(K, V)>);

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Pairs<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Gives a key its value, in place of the one that it had.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => {
                if let Some(pair) = self.0.get_mut(at) {
                    pair.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// The value of a key, which gets one where it has none.
    pub fn get_or_default(&mut self, key: K) -> Option<&mut V>
    where
        V: Default,
    {
        let at = self.place(&key).unwrap_or_else(|at| {
            self.0.insert(at, (key, V::default()));
            at
        });
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Takes a key away.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| self.0.remove(at).1)
    }
}

impl<K, V> Pairs<K, V> {
    /// The pairs, in the order of their keys.
    pub fn iter(&self) -> core::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<'a, K, V> IntoIterator for &'a Pairs<K, V> {
    type Item = &'a (K, V);
    type IntoIter = core::slice::Iter<'a, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Pairs<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut all = Self::default();
        pairs.into_iter().for_each(|(key, value)| all.insert(key, value));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pairs_hold_what_a_tree_holds(said in prop::collection::vec((0u8..20, any::<u16>()), 0..60)) {
            let (mut tree, mut pairs) = (BTreeMap::new(), Pairs::default());
            for (key, value) in &said {
                tree.insert(*key, *value);
                pairs.insert(*key, *value);
                prop_assert_eq!(pairs.len(), tree.len());
            }
            prop_assert_eq!(&pairs, &said.iter().copied().collect());
            prop_assert!(pairs.iter().copied().eq(tree.clone()));
            for key in 0..20 {
                prop_assert_eq!(pairs.get(&key), tree.get(&key));
                prop_assert_eq!(pairs.get_mut(&key), tree.get_mut(&key));
            }
            for key in 0..10 {
                prop_assert_eq!(pairs.remove(&key), tree.remove(&key));
            }
            for key in 5..15 {
                *pairs.get_or_default(key).unwrap() ^= 1;
                *tree.entry(key).or_default() ^= 1;
            }
            prop_assert!(pairs.iter().copied().eq(tree));
            pairs.clear();
            prop_assert!(pairs.is_empty());
        }
    }

    #[test]
    fn a_text_is_found_by_what_it_says() {
        let pairs: Pairs<String, u8> = [("b".into(), 2), ("a".into(), 1)].into_iter().collect();
        assert_eq!((pairs.get("a"), pairs.get("c")), (Some(&1), None));
    }
}
