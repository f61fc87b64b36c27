//! A span of time, and the log of who was last active in it.

/// A span of time and the users last active in it.
pub(super) struct Bucket {
    /// The first and the last microsecond. Spans never overlap.
    pub start: i64,
    pub end: i64,
    /// No entry is later than this.
    pub latest: i64,
    /// Entries that aren't vacant, and those among them that lists and counts may show.
    pub held: u32,
    pub counted: u32,
    pub log: Vec<Entry>,
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The user's slot, with [`UNCOUNTED`] set where lists and counts must not show it, or [`VACANT`].
    slot: u32,
    /// Microseconds after the bucket's start; 71 minutes fit, and no bucket is that wide.
    offset: u32,
}

/// Above every slot.
const UNCOUNTED: u32 = 1 << 31;
const VACANT: u32 = u32::MAX;

impl Entry {
    pub(super) fn is_counted(self) -> bool {
        self.slot & UNCOUNTED == 0
    }

    pub(super) fn slot(self) -> u32 {
        self.slot & !UNCOUNTED
    }
}

impl Bucket {
    pub(super) fn new(start: i64, end: i64, log: Vec<Entry>) -> Self {
        Self { start, end, latest: start, held: 0, counted: 0, log }
    }

    pub(super) fn spans(&self, at: i64) -> bool {
        self.start <= at && at <= self.end
    }

    #[inline]
    pub(super) fn at(&self, index: u32) -> i64 {
        self.start + i64::from(self.log[index as usize].offset)
    }

    fn offset(&self, at: i64) -> u32 {
        // A bucket is at most 71 minutes wide and `at` lies within it.
        u32::try_from(at - self.start).unwrap_or(u32::MAX)
    }

    /// Appends a slot; gives the entry's index.
    pub(super) fn push(&mut self, slot: u32, at: i64, counted: bool) -> u32 {
        self.latest = self.latest.max(at);
        self.held += 1;
        self.counted += u32::from(counted);
        self.log.push(Entry { slot: if counted { slot } else { slot | UNCOUNTED }, offset: self.offset(at) });
        index(self.log.len() - 1)
    }

    /// Gives an entry another date within the bucket.
    #[inline]
    pub(super) fn redate(&mut self, index: u32, at: i64) {
        self.log[index as usize].offset = self.offset(at);
        self.latest = self.latest.max(at);
    }

    /// Takes an entry out. Where it was the last, the log is empty again.
    pub(super) fn vacate(&mut self, index: u32) {
        let entry = &mut self.log[index as usize];
        self.held -= 1;
        self.counted -= u32::from(entry.is_counted());
        entry.slot = VACANT;
        if self.held == 0 {
            self.latest = self.start;
            self.log.clear();
        }
    }

    /// Says whether lists and counts may show an entry.
    pub(super) fn set_counted(&mut self, index: u32, counted: bool) {
        let entry = &mut self.log[index as usize];
        if entry.is_counted() != counted {
            entry.slot ^= UNCOUNTED;
            self.counted = if counted { self.counted + 1 } else { self.counted - 1 };
        }
    }

    /// The date of each entry that isn't vacant, and the entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = (i64, Entry)> {
        let at = |entry: &Entry| (self.start + i64::from(entry.offset), *entry);
        self.log.iter().filter(|entry| entry.slot != VACANT).map(at)
    }

    /// Squeezes vacant entries out if they outnumber the others by so much that it pays. `moved` is told the index of each
    /// slot then.
    pub(super) fn squeeze(&mut self, mut moved: impl FnMut(u32, u32)) {
        if self.log.len() > 2 * self.held as usize + 16 {
            self.log.retain(|entry| entry.slot != VACANT);
            for (place, entry) in self.log.iter().enumerate() {
                moved(entry.slot(), index(place));
            }
        }
    }
}

pub(super) fn index(index: usize) -> u32 {
    // A log has at most one entry a slot and then some vacant ones; both are far below 32 bits. So are buckets.
    u32::try_from(index).unwrap_or(u32::MAX)
}
