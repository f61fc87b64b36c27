//! How many were online, over any span of time in a fixed number of points: each is the most within its share of it.

/// The most points that a curve has. When more would be needed, each two become one.
const POINTS: usize = 1024;

/// A number that changes in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    /// When it begins, and how much time a point stands for, in microseconds.
    start: i64,
    width: i64,
    points: Vec<usize>,
    /// What the number is since the last change.
    held: usize,
}

impl Curve {
    /// A curve that is zero from `start` on, with points of a second as long as they suffice.
    pub(super) fn new(start: i64) -> Self {
        Self { start, width: 1_000_000, points: vec![0], held: 0 }
    }

    /// The number is `value` from `at` on, which is no earlier than any change before.
    pub(super) fn change(&mut self, at: i64, value: usize) {
        let mut index = self.index(at);
        while index >= POINTS {
            let pairs = self.points.chunks(2);
            self.points = pairs.map(|pair| pair.iter().copied().max().unwrap_or(0)).collect();
            self.width *= 2;
            index = self.index(at);
        }
        if index >= self.points.len() {
            self.points.resize(index + 1, self.held);
        }
        if let Some(last) = self.points.last_mut() {
            *last = value.max(*last);
        }
        self.held = value;
    }

    fn index(&self, at: i64) -> usize {
        usize::try_from(at.saturating_sub(self.start) / self.width).unwrap_or(0)
    }

    /// When each point's share of time begins, in microseconds since 1970, and the most within it.
    pub fn points(&self) -> impl Iterator<Item = (i64, usize)> {
        let starts = std::iter::successors(Some(self.start), |start| Some(start + self.width));
        starts.zip(self.points.iter().copied())
    }

    /// How much time a point stands for, in microseconds.
    #[must_use]
    pub fn width(&self) -> i64 {
        self.width
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_goes_on_is_held_and_what_is_brief_is_not_lost() {
        let mut curve = Curve::new(0);
        for (at, value) in [(0, 3), (500_000, 9), (600_000, 2), (3_000_000, 1)] {
            curve.change(at, value);
        }
        assert_eq!(curve.points().map(|(_, most)| most).collect::<Vec<_>>(), [9, 2, 2, 2]);
    }

    proptest! {
        #[test]
        fn every_point_is_the_most_within_its_share(
            steps in proptest::collection::vec((0_i64..4_000_000_000, 0_usize..100), 1..200),
        ) {
            let mut curve = Curve::new(7);
            let mut at = 7;
            let mut changes = vec![(7, 0)];
            for (step, value) in steps {
                at += step;
                curve.change(at, value);
                changes.push((at, value));
            }
            prop_assert!(curve.points().count() <= POINTS);
            for (start, most) in curve.points() {
                let end = start + curve.width();
                let before = changes.iter().rev().find(|(at, _)| *at <= start).map_or(0, |(_, value)| *value);
                let within = changes.iter().filter(|(at, _)| start < *at && *at < end).map(|(_, value)| *value);
                // Changes at the same moment come after one another, and the greatest of them counts.
                let together = changes.iter().filter(|(at, _)| *at == start).map(|(_, value)| *value);
                prop_assert_eq!(most, within.chain(together).fold(before, usize::max));
            }
        }
    }
}
