//! The users active on a day as a compressed set of their numbers, and when it is brought up to date.

use roaring::RoaringBitmap;

use crate::{ACTIVE_DAYS, Day, Timestamp};

/// Who comes in is first noted in a row of their own: a row is cheap, and a set is written anew as a whole. So many rows
/// of a day are folded into its set, which at a million users then costs some 30 bytes a user.
pub(super) const FOLD_AT: i64 = 4096;

/// The first of the days that are kept at `now`.
pub(super) fn oldest(now: Timestamp) -> Day {
    Day::of(now) - (ACTIVE_DAYS - 1)
}

/// What was [encoded](encode). Bytes that are no such set, which only somebody else can have written, count as an empty
/// one: they must not stop every batch.
pub(super) fn decode(bytes: &[u8]) -> RoaringBitmap {
    RoaringBitmap::deserialize_from(bytes).unwrap_or_default()
}

/// The set in the format that all implementations of Roaring share.
pub(super) fn encode(mut users: RoaringBitmap) -> Vec<u8> {
    users.optimize();
    let mut bytes = Vec::with_capacity(users.serialized_size());
    // A vector takes all that it is given.
    let _ = users.serialize_into(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_comes_back_and_other_bytes_are_an_empty_one() {
        for numbers in [vec![], vec![0, 7, u32::MAX], (0..100_000).step_by(3).collect()] {
            let users: RoaringBitmap = numbers.into_iter().collect();
            assert_eq!(decode(&encode(users.clone())), users);
        }
        for bytes in [&b""[..], b"hello", &[0xff; 64]] {
            assert!(decode(bytes).is_empty());
        }
    }

    #[test]
    fn a_million_users_take_two_bits_each_and_neighbours_far_less() {
        let every_other = encode((0..2_000_000).step_by(2).collect());
        assert!(every_other.len() < 260_000, "{}", every_other.len());
        let all = encode((0..1_000_000).collect());
        assert!(all.len() < 1_000, "{}", all.len());
    }
}
