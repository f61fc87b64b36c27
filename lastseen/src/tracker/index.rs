//! From a hash to a slot, in one array: to find a user costs one visit to it and one to the user.
//!
//! A general hash table keeps tags and values apart, which at millions of users are two visits to memory that no cache
//! holds. Here a word has both: the slot, and above it eight bits of the hash. Collisions go to the next place.

/// Slots must lie below this to leave room for the tag.
pub(super) const MAX_SLOT: u32 = SLOT;

const TAG_SHIFT: u32 = 24;
const SLOT: u32 = (1 << TAG_SHIFT) - 1;
/// No slot is as high.
const EMPTY: u32 = u32::MAX;

/// A set of slots, found by the hashes of what is in them.
#[derive(Default)]
pub(super) struct Index {
    /// A power of two of places, or none; at least a quarter of them empty, so that every search ends soon.
    places: Box<[u32]>,
    len: usize,
}

/// What a slot is known by: eight bits that don't decide its place.
#[inline]
fn tag(hash: u64) -> u32 {
    u32::from(hash.to_be_bytes()[0]) << TAG_SHIFT
}

impl Index {
    #[inline]
    fn mask(&self) -> usize {
        self.places.len() - 1
    }

    /// Where a hash belongs.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
    fn home(&self, hash: u64) -> usize {
        hash as usize & self.mask()
    }

    /// The slot with this hash for which `is` holds.
    #[expect(clippy::inline_always, reason = "as a call it takes a touch 3 % longer, measured")]
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let tag = tag(hash);
        let mut place = self.home(hash);
        loop {
            let entry = self.places[place];
            if entry & !SLOT == tag && entry != EMPTY && is(entry & SLOT) {
                return Some(entry & SLOT);
            }
            if entry == EMPTY {
                return None;
            }
            place = (place + 1) & self.mask();
        }
    }

    /// Whether [`grow`](Self::grow) must come before the next [`insert`](Self::insert).
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.places.len() / 4 * 3
    }

    /// Doubles the places. `all` gives each slot that is in, with its hash.
    pub(super) fn grow(&mut self, all: impl Iterator<Item = (u64, u32)>) {
        self.places = vec![EMPTY; (2 * self.places.len()).max(16)].into();
        self.len = 0;
        all.for_each(|(hash, slot)| self.insert(hash, slot));
    }

    /// Takes in a slot that is not in.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        let mut place = self.home(hash);
        while self.places[place] != EMPTY {
            place = (place + 1) & self.mask();
        }
        self.places[place] = tag(hash) | slot;
        self.len += 1;
    }

    /// Takes out a slot that is in. `hash_of` gives the hashes of others.
    pub(super) fn remove(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let mut gap = self.home(hash);
        while self.places[gap] != tag(hash) | slot {
            gap = (gap + 1) & self.mask();
        }
        // Whoever had to go past the gap to find a place moves into it, so that a search may go on ending at empty places.
        let mut place = gap;
        loop {
            place = (place + 1) & self.mask();
            let entry = self.places[place];
            if entry == EMPTY {
                break;
            }
            let from_home = |to: usize| to.wrapping_sub(self.home(hash_of(entry & SLOT))) & self.mask();
            if from_home(gap) < from_home(place) {
                self.places[gap] = entry;
                gap = place;
            }
        }
        self.places[gap] = EMPTY;
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Slots whose hashes agree in many bits come and go; what is in is found, and nothing else.
        #[test]
        fn what_is_in_is_found(steps in proptest::collection::vec((0_u32..60, 0_u64..5, 0_u64..3), 1..300)) {
            let mut index = Index::default();
            let mut held: BTreeMap<u32, u64> = BTreeMap::new();
            for (slot, home, tag) in steps {
                if let Some(hash) = held.remove(&slot) {
                    index.remove(hash, slot, |slot| held[&slot]);
                } else {
                    if index.is_full() {
                        index.grow(held.iter().map(|(slot, hash)| (*hash, *slot)));
                    }
                    // Homes at both ends of the array, so that searches go round; and the highest tag, as empty places have.
                    let hash = (home.wrapping_sub(3) & 0xffff) | (tag.wrapping_sub(1) << 56);
                    held.insert(slot, hash);
                    index.insert(hash, slot);
                }
                for slot in 0..60 {
                    let hash = held.get(&slot);
                    let found = hash.and_then(|hash| index.find(*hash, |found| found == slot));
                    prop_assert_eq!(found, hash.map(|_| slot));
                }
                prop_assert_eq!(index.len, held.len());
            }
        }
    }
}
