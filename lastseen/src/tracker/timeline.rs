//! The users of a shard in order of their last activity, so that lists and counts never scan them all.
//!
//! Time is cut into buckets, each an append-only log of entries. A touch within the same bucket rewrites its entry in
//! place; a touch later on leaves the entry and appends one to a newer bucket. Entries that were left are vacated some at
//! a time, and before anything is read. Vacated entries stay where they are, so nothing else moves and nothing is
//! allocated; [`Timeline::tidy`], off the request's path, squeezes them out.
//!
//! An entry carries its exact date, so a read never has to look at a user to know whether an edge includes it. It is the
//! only one who does: a user keeps the place of the entry, and has the date from there.

use std::collections::VecDeque;

use bucket::{Bucket, Entry, index};

mod bucket;
#[cfg(test)]
mod tests;
mod tidy;

/// How wide buckets are. Tests use tiny ones, so that every seam is crossed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Microseconds of a bucket among the recent ones.
    pub fine: i64,
    /// Microseconds of a bucket past [`recent`](Self::recent).
    pub coarse: i64,
    /// How many microseconds back buckets are kept fine.
    pub recent: i64,
    /// A log this long is followed by a new bucket even within the same `fine` span, so that reading the newest users
    /// costs the same however many come in a second.
    pub log: usize,
    /// So many entries that were left are vacated together. Each lies in memory that no cache holds, and a lock that is
    /// let go waits for whatever was begun under it: one by one, each touch would wait for its own.
    pub stale: usize,
}

impl Shape {
    pub(super) const DEFAULT: Self =
        Self { fine: 1_000_000, coarse: 60_000_000, recent: 3_600_000_000, log: 1024, stale: 16 };
}

/// Where an entry is, as long as its slot is not told to have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    bucket: u32,
    index: u32,
}

impl Place {
    pub(super) const NONE: Self = Self { bucket: u32::MAX, index: u32::MAX };
}

/// The slots of a shard in order of time.
pub(super) struct Timeline {
    shape: Shape,
    /// By number. A bucket that is in use stays where it is.
    buckets: Vec<Bucket>,
    unused: Vec<u32>,
    /// The numbers of those in use in order of time. The last is where touches go, unless the clock has been set back.
    order: VecDeque<u32>,
    /// Where new buckets begin to be coarse.
    coarse_before: i64,
    /// Empty logs of full size, so that opening a bucket and filling it allocates nothing.
    spares: Vec<Vec<Entry>>,
    /// How many entries were appended since the last tidying.
    appended: usize,
    /// Entries whose slots have others now, still to be vacated. Their buckets count them as held.
    stale: Vec<Place>,
}

impl Timeline {
    pub(super) fn new(shape: Shape) -> Self {
        let mut timeline = Self {
            shape,
            buckets: Vec::new(),
            unused: Vec::new(),
            order: VecDeque::new(),
            coarse_before: i64::MIN,
            spares: Vec::new(),
            appended: 0,
            stale: Vec::with_capacity(shape.stale),
        };
        timeline.provide();
        timeline
    }

    #[inline]
    fn bucket(&self, number: u32) -> &Bucket {
        &self.buckets[number as usize]
    }

    /// Where in the order the bucket of `at` is, or else where it would have to be put in.
    #[inline]
    fn locate(&self, at: i64) -> Result<usize, usize> {
        let after = match self.order.back() {
            Some(last) if self.bucket(*last).start <= at => self.order.len(),
            _ => self.order.partition_point(|number| self.bucket(*number).start <= at),
        };
        match after.checked_sub(1) {
            Some(place) if self.bucket(self.order[place]).spans(at) => Ok(place),
            _ => Err(after),
        }
    }

    /// When a slot is dated that is in at `place`.
    #[inline]
    pub(super) fn at(&self, place: Place) -> i64 {
        self.bucket(place.bucket).at(place.index)
    }

    /// Takes a slot in. The place that it returns is where to move or remove it.
    pub(super) fn insert(&mut self, slot: u32, at: i64, counted: bool) -> Place {
        let number = match self.locate(at) {
            Ok(place) => self.cut_if_full(place, at),
            Err(place) => self.open(place, at),
        };
        self.appended += 1;
        let index = self.buckets[number as usize].push(slot, at, counted);
        Place { bucket: number, index }
    }

    /// Lets a new bucket begin at `at` where the one at this place of the order is full and holds nothing as late. Gives
    /// the number of the one that `at` belongs to.
    #[inline]
    fn cut_if_full(&mut self, place: usize, at: i64) -> u32 {
        let number = self.order[place];
        let bucket = &mut self.buckets[number as usize];
        if bucket.log.len() < self.shape.log || at <= bucket.latest {
            return number;
        }
        let end = std::mem::replace(&mut bucket.end, at - 1);
        self.put_in(place + 1, at, end)
    }

    /// Makes the bucket for `at`, on the grid but within its neighbours.
    fn open(&mut self, place: usize, at: i64) -> u32 {
        let width = if at < self.coarse_before { self.shape.coarse } else { self.shape.fine };
        let mut start = at.saturating_sub(at.rem_euclid(width));
        let mut end = start.saturating_add(width - 1);
        if let Some(before) = place.checked_sub(1).map(|place| self.bucket(self.order[place])) {
            start = start.max(before.end + 1);
        }
        if let Some(after) = self.order.get(place) {
            end = end.min(self.bucket(*after).start - 1);
        }
        self.put_in(place, start, end)
    }

    fn put_in(&mut self, place: usize, start: i64, end: i64) -> u32 {
        // Only the last bucket is likely to be filled.
        let spare = if place == self.order.len() { self.spares.pop() } else { None };
        let bucket = Bucket::new(start, end, spare.unwrap_or_default());
        let number = if let Some(number) = self.unused.pop() {
            self.buckets[number as usize] = bucket;
            number
        } else {
            self.buckets.push(bucket);
            index(self.buckets.len() - 1)
        };
        self.order.insert(place, number);
        number
    }

    /// Moves a slot to a later date and says where it is now; `None` where `to` isn't later.
    #[inline]
    pub(super) fn advance(&mut self, slot: u32, place: Place, to: i64, counted: bool) -> Option<Place> {
        let bucket = &mut self.buckets[place.bucket as usize];
        if to <= bucket.end {
            // Whoever is not in this bucket's span is earlier than all of it.
            return (bucket.start <= to && bucket.at(place.index) < to).then(|| {
                bucket.redate(place.index, to);
                place
            });
        }
        if self.stale.len() == self.shape.stale {
            self.vacate_stale();
        }
        self.stale.push(place);
        Some(self.insert(slot, to, counted))
    }

    #[inline(never)]
    fn vacate_stale(&mut self) {
        while let Some(place) = self.stale.pop() {
            self.remove(place);
        }
    }

    /// Moves a slot to another date and says where it is now.
    #[inline]
    pub(super) fn shift(&mut self, slot: u32, place: Place, to: i64, counted: bool) -> Place {
        let bucket = &mut self.buckets[place.bucket as usize];
        if bucket.spans(to) {
            bucket.redate(place.index, to);
            return place;
        }
        self.remove(place);
        self.insert(slot, to, counted)
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, place: Place) {
        let bucket = &mut self.buckets[place.bucket as usize];
        bucket.vacate(place.index);
        if bucket.held == 0 && self.order.front() == Some(&place.bucket) {
            self.order.pop_front();
            self.retire(place.bucket);
        }
    }

    /// Says whether lists and counts may show a slot.
    pub(super) fn set_counted(&mut self, place: Place, counted: bool) {
        self.buckets[place.bucket as usize].set_counted(place.index, counted);
    }

    /// How many slots may be shown whose date lies from `from` to `to`, both included.
    pub(super) fn count(&mut self, from: i64, to: i64) -> usize {
        self.vacate_stale();
        let counted = |bucket: &Bucket| {
            if from <= bucket.start && bucket.end <= to {
                bucket.counted as usize
            } else {
                bucket.entries().filter(|(at, entry)| entry.is_counted() && from <= *at && *at <= to).count()
            }
        };
        self.overlapping(from, to).map(counted).sum()
    }

    /// The date and slot of those that may be shown from `from` to `to`, newest bucket first, up to the end of the bucket
    /// with which there are `enough`: nothing that is left out is later than anything that is given.
    pub(super) fn newest(&mut self, from: i64, to: i64, enough: usize) -> impl Iterator<Item = (i64, u32)> {
        self.vacate_stale();
        let shown = move |bucket: &&Bucket| bucket.counted > 0;
        let mut given = 0;
        let not_enough = move |bucket: &&Bucket| {
            let go_on = given < enough;
            // Of a bucket that the window cuts there may be fewer.
            given += if from <= bucket.start && bucket.end <= to { bucket.counted as usize } else { 0 };
            go_on
        };
        self.overlapping(from, to)
            .rev()
            .filter(shown)
            .take_while(not_enough)
            .flat_map(Bucket::entries)
            .filter(move |(at, entry)| entry.is_counted() && from <= *at && *at <= to)
            .map(|(at, entry)| (at, entry.slot()))
    }

    /// The date and slot of everything from `from` to `to`, shown or not, oldest bucket first.
    pub(super) fn within(&mut self, from: i64, to: i64) -> impl Iterator<Item = (i64, u32)> {
        self.vacate_stale();
        self.overlapping(from, to)
            .flat_map(Bucket::entries)
            .filter(move |(at, _)| from <= *at && *at <= to)
            .map(|(at, entry)| (at, entry.slot()))
    }

    fn overlapping(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = &Bucket> {
        let first = self.order.partition_point(|number| self.bucket(*number).end < from);
        let after = self.order.partition_point(|number| self.bucket(*number).start <= to);
        self.order.range(first..after.max(first)).map(|number| self.bucket(*number))
    }

    /// Lets a bucket go that is empty and in the order no more. Its log is kept for the next one, unless there are enough.
    fn retire(&mut self, number: u32) {
        let log = std::mem::take(&mut self.buckets[number as usize].log);
        self.unused.push(number);
        if log.capacity() >= self.shape.log && self.spares.len() < self.spares.capacity() {
            self.spares.push(log);
        }
    }
}
