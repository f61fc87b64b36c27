//! The users of a shard in order of their last activity, so that lists and counts never scan them all.
//!
//! Time is cut into buckets, each an append-only log of entries. A touch within the same bucket rewrites its entry in
//! place; a touch later on vacates the entry and appends one to a newer bucket. Vacated entries stay where they are,
//! so nothing else moves and nothing is allocated; [`Timeline::tidy`], off the request's path, squeezes them out.
//!
//! An entry carries its exact date, so a read never has to look at a user to know whether an edge includes it.

use std::collections::VecDeque;

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
}

impl Shape {
    pub(super) const DEFAULT: Self = Self { fine: 1_000_000, coarse: 60_000_000, recent: 3_600_000_000, log: 1024 };
}

/// A span of time and the users last active in it.
struct Bucket {
    /// The first and the last microsecond. Spans never overlap.
    start: i64,
    end: i64,
    /// No entry is later than this.
    latest: i64,
    /// Entries that aren't vacant, and those among them that lists and counts may show.
    held: u32,
    counted: u32,
    log: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    /// The user's slot, with [`UNCOUNTED`] set where lists and counts must not show it, or [`VACANT`].
    slot: u32,
    /// Microseconds after the bucket's start; 71 minutes fit, and no bucket is that wide.
    offset: u32,
}

const UNCOUNTED: u32 = 1 << 31;
const VACANT: u32 = u32::MAX;

/// Slots must lie below this to be told apart from marked and vacant entries.
pub(super) const MAX_SLOT: u32 = UNCOUNTED - 1;

impl Entry {
    fn new(slot: u32, counted: bool, offset: u32) -> Self {
        Self { slot: if counted { slot } else { slot | UNCOUNTED }, offset }
    }

    fn is_vacant(self) -> bool {
        self.slot == VACANT
    }

    fn is_counted(self) -> bool {
        self.slot & UNCOUNTED == 0
    }

    fn slot(self) -> u32 {
        self.slot & !UNCOUNTED
    }
}

impl Bucket {
    fn entries(&self) -> impl Iterator<Item = (i64, Entry)> {
        let at = |entry: &Entry| (self.start + i64::from(entry.offset), *entry);
        self.log.iter().filter(|entry| !entry.is_vacant()).map(at)
    }

    fn push(&mut self, slot: u32, at: i64, counted: bool) -> u32 {
        self.latest = self.latest.max(at);
        self.held += 1;
        self.counted += u32::from(counted);
        self.log.push(Entry::new(slot, counted, offset(self.start, at)));
        position(self.log.len() - 1)
    }

    /// Whether vacant entries outnumber the others by so much that squeezing them out pays.
    fn is_sparse(&self) -> bool {
        self.log.len() > 2 * self.held as usize + 16
    }
}

fn offset(start: i64, at: i64) -> u32 {
    // A bucket is at most 71 minutes wide and `at` lies within it.
    u32::try_from(at - start).unwrap_or(u32::MAX)
}

fn position(index: usize) -> u32 {
    // A log has at most one entry a slot and then some vacant ones; both are far below 32 bits.
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(super) struct Timeline {
    shape: Shape,
    /// In order of time. The last is where touches go, unless the clock has been set back.
    buckets: VecDeque<Bucket>,
    /// Where new buckets begin to be coarse.
    coarse_before: i64,
    /// Empty logs of full size, so that opening a bucket and filling it allocates nothing.
    spares: Vec<Vec<Entry>>,
    /// How many entries were appended since the last tidying.
    appended: usize,
}

impl Timeline {
    pub(super) fn new(shape: Shape) -> Self {
        let mut timeline =
            Self { shape, buckets: VecDeque::new(), coarse_before: i64::MIN, spares: Vec::new(), appended: 0 };
        timeline.provide();
        timeline
    }

    /// Where the bucket of `at` is, or else where it would have to be put in.
    #[inline]
    fn locate(&self, at: i64) -> Result<usize, usize> {
        let after = match self.buckets.back() {
            Some(last) if last.start <= at => self.buckets.len(),
            _ => self.buckets.partition_point(|bucket| bucket.start <= at),
        };
        match after.checked_sub(1) {
            Some(index) if at <= self.buckets[index].end => Ok(index),
            _ => Err(after),
        }
    }

    /// Takes a slot in; the position that it returns must be shown again to move or remove it.
    pub(super) fn insert(&mut self, slot: u32, at: i64, counted: bool) -> u32 {
        let index = match self.locate(at) {
            Ok(index) => self.cut_if_full(index, at),
            Err(index) => {
                self.open(index, at);
                index
            }
        };
        self.appended += 1;
        self.buckets[index].push(slot, at, counted)
    }

    /// Lets a new bucket begin at `at` where the one at `index` is full and holds nothing as late. Says whose `at` is.
    fn cut_if_full(&mut self, index: usize, at: i64) -> usize {
        let bucket = &mut self.buckets[index];
        if bucket.log.len() < self.shape.log || at <= bucket.latest {
            return index;
        }
        let end = std::mem::replace(&mut bucket.end, at - 1);
        self.put_in(index + 1, at, end);
        index + 1
    }

    /// Makes the bucket for `at`, on the grid but within its neighbours.
    fn open(&mut self, index: usize, at: i64) {
        let width = if at < self.coarse_before { self.shape.coarse } else { self.shape.fine };
        let mut start = at.saturating_sub(at.rem_euclid(width));
        let mut end = start.saturating_add(width - 1);
        if let Some(before) = index.checked_sub(1).map(|index| &self.buckets[index]) {
            start = start.max(before.end + 1);
        }
        if let Some(after) = self.buckets.get(index) {
            end = end.min(after.start - 1);
        }
        self.put_in(index, start, end);
    }

    fn put_in(&mut self, index: usize, start: i64, end: i64) {
        // Only the last bucket is likely to be filled.
        let spare = if index == self.buckets.len() { self.spares.pop() } else { None };
        let log = spare.unwrap_or_default();
        self.buckets.insert(index, Bucket { start, end, latest: start, held: 0, counted: 0, log });
    }

    /// Moves a slot from `from` to `to` and says where it is now.
    #[inline]
    pub(super) fn shift(&mut self, slot: u32, from: i64, position: u32, to: i64, counted: bool) -> u32 {
        if let Ok(index) = self.locate(from) {
            let bucket = &mut self.buckets[index];
            if bucket.start <= to && to <= bucket.end {
                bucket.log[position as usize].offset = offset(bucket.start, to);
                bucket.latest = bucket.latest.max(to);
                return position;
            }
            self.vacate(index, position);
        }
        self.insert(slot, to, counted)
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, at: i64, position: u32) {
        if let Ok(index) = self.locate(at) {
            self.vacate(index, position);
        }
    }

    fn vacate(&mut self, index: usize, position: u32) {
        let bucket = &mut self.buckets[index];
        let entry = &mut bucket.log[position as usize];
        bucket.held -= 1;
        bucket.counted -= u32::from(entry.is_counted());
        entry.slot = VACANT;
        if bucket.held == 0 {
            bucket.latest = bucket.start;
            bucket.log.clear();
            if index == 0 {
                let emptied = self.buckets.pop_front().map(|bucket| bucket.log);
                self.recycle(emptied.unwrap_or_default());
            }
        }
    }

    /// Says whether lists and counts may show a slot.
    pub(super) fn set_counted(&mut self, at: i64, position: u32, counted: bool) {
        let Ok(index) = self.locate(at) else { return };
        let bucket = &mut self.buckets[index];
        let entry = &mut bucket.log[position as usize];
        if entry.is_counted() != counted {
            entry.slot ^= UNCOUNTED;
            bucket.counted = if counted { bucket.counted + 1 } else { bucket.counted - 1 };
        }
    }

    /// How many slots may be shown whose date lies from `from` to `to`, both included.
    pub(super) fn count(&self, from: i64, to: i64) -> usize {
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
    pub(super) fn newest(&self, from: i64, to: i64, enough: usize) -> impl Iterator<Item = (i64, u32)> {
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
    pub(super) fn within(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, u32)> {
        self.overlapping(from, to)
            .flat_map(Bucket::entries)
            .filter(move |(at, _)| from <= *at && *at <= to)
            .map(|(at, entry)| (at, entry.slot()))
    }

    fn overlapping(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = &Bucket> {
        let first = self.buckets.partition_point(|bucket| bucket.end < from);
        let after = self.buckets.partition_point(|bucket| bucket.start <= to);
        self.buckets.range(first..after.max(first))
    }

    /// Keeps an empty log for the next bucket, unless there are enough.
    fn recycle(&mut self, log: Vec<Entry>) {
        if log.capacity() >= self.shape.log && self.spares.len() < self.spares.capacity() {
            self.spares.push(log);
        }
    }

    /// Sees to it that twice as many entries as lately can be appended without an allocation.
    fn provide(&mut self) {
        let enough = 2 * self.appended / self.shape.log + 3;
        self.appended = 0;
        self.buckets.reserve(enough);
        self.spares.truncate(enough);
        self.spares.reserve(enough - self.spares.len());
        while self.spares.len() < enough {
            self.spares.push(Vec::with_capacity(self.shape.log));
        }
    }

    /// Squeezes out vacant entries, drops empty buckets, joins those that have grown old, and provides for those to come.
    /// `moved` is told of each slot whose position has changed.
    pub(super) fn tidy(&mut self, now: i64, mut moved: impl FnMut(u32, u32)) {
        self.coarse_before = now.saturating_sub(self.shape.recent);
        // The last bucket is left as it is: the next touch goes there.
        let Some(last) = self.buckets.pop_back() else { return };
        let empty =
            self.buckets.iter_mut().filter(|bucket| bucket.held == 0).map(|bucket| std::mem::take(&mut bucket.log));
        for log in empty.collect::<Vec<_>>() {
            self.recycle(log);
        }
        self.buckets.retain(|bucket| bucket.held > 0);
        self.join_old(&mut moved);
        for bucket in &mut self.buckets {
            if bucket.is_sparse() {
                bucket.log.retain(|entry| !entry.is_vacant());
                for (index, entry) in bucket.log.iter().enumerate() {
                    moved(entry.slot(), position(index));
                }
            }
            // Nothing will be added to most of them any more.
            if bucket.log.capacity() > bucket.log.len() + bucket.log.len() / 2 {
                bucket.log.shrink_to_fit();
            }
        }
        self.buckets.push_back(last);
        self.provide();
    }

    /// Joins the buckets past `recent` that share a coarse span.
    fn join_old(&mut self, moved: &mut impl FnMut(u32, u32)) {
        let coarse = self.shape.coarse;
        let span = |bucket: &Bucket| bucket.start.div_euclid(coarse);
        let old = self.buckets.partition_point(|bucket| bucket.end < self.coarse_before);
        let old = self.buckets.range(..old);
        if !old.clone().zip(old.clone().skip(1)).any(|(one, next)| span(one) == span(next)) {
            return;
        }
        let old = old.len();
        let mut joined: VecDeque<Bucket> = VecDeque::with_capacity(old);
        for bucket in self.buckets.drain(..old) {
            match joined.back_mut() {
                Some(before) if span(before) == span(&bucket) => {
                    before.end = bucket.end;
                    for (at, entry) in bucket.entries() {
                        moved(entry.slot(), before.push(entry.slot(), at, entry.is_counted()));
                    }
                }
                _ => joined.push_back(bucket),
            }
        }
        for bucket in joined.into_iter().rev() {
            self.buckets.push_front(bucket);
        }
    }
}

#[cfg(test)]
mod tests;
