//! What time makes of the buckets: off the request's path, they are squeezed, dropped, joined and provided for.

use std::collections::VecDeque;

use super::bucket::Bucket;
use super::{Place, Timeline};

impl Timeline {
    /// Sees to it that twice as many entries as lately can be appended without an allocation.
    pub(super) fn provide(&mut self) {
        let enough = 2 * self.appended / self.shape.log + 3;
        self.appended = 0;
        self.order.reserve(enough);
        self.buckets.reserve(enough.saturating_sub(self.unused.len()));
        self.unused.reserve(self.order.len() + enough);
        self.spares.truncate(enough);
        self.spares.reserve(enough - self.spares.len());
        while self.spares.len() < enough {
            self.spares.push(Vec::with_capacity(self.shape.log));
        }
    }

    /// Squeezes out vacant entries, drops empty buckets, joins those that have grown old, and provides for those to come.
    /// `moved` is told of each slot whose place has changed.
    pub(in crate::tracker) fn tidy(&mut self, now: i64, mut moved: impl FnMut(u32, Place)) {
        self.vacate_stale();
        self.coarse_before = now.saturating_sub(self.shape.recent);
        // The last bucket is left as it is: the next touch goes there.
        let Some(last) = self.order.pop_back() else { return };
        let is_empty = |number: &u32| self.bucket(*number).held == 0;
        let empty: Vec<u32> = self.order.iter().copied().filter(is_empty).collect();
        self.order.retain(|number| self.buckets[*number as usize].held > 0);
        for number in empty {
            self.retire(number);
        }
        self.join_old(&mut moved);
        for number in &self.order {
            let bucket = &mut self.buckets[*number as usize];
            bucket.squeeze(|slot, index| moved(slot, Place { bucket: *number, index }));
            // Nothing will be added to most of them any more.
            if bucket.log.capacity() > bucket.log.len() + bucket.log.len() / 2 {
                bucket.log.shrink_to_fit();
            }
        }
        self.order.push_back(last);
        self.provide();
    }

    /// Joins the buckets past `recent` that share a coarse span.
    fn join_old(&mut self, moved: &mut impl FnMut(u32, Place)) {
        let coarse = self.shape.coarse;
        let old = self.order.partition_point(|number| self.bucket(*number).end < self.coarse_before);
        let span = |bucket: &Bucket| bucket.start.div_euclid(coarse);
        let spans = self.order.range(..old).map(|number| span(self.bucket(*number)));
        if !spans.clone().zip(spans.skip(1)).any(|(one, next)| one == next) {
            return;
        }
        let mut joined: VecDeque<u32> = VecDeque::with_capacity(self.order.len());
        for number in std::mem::take(&mut self.order) {
            let bucket = self.bucket(number);
            match joined.back().copied() {
                Some(before) if bucket.end < self.coarse_before && span(self.bucket(before)) == span(bucket) => {
                    let joining = std::mem::replace(&mut self.buckets[number as usize], Bucket::new(0, 0, Vec::new()));
                    let into = &mut self.buckets[before as usize];
                    into.end = joining.end;
                    for (at, entry) in joining.entries() {
                        let index = into.push(entry.slot(), at, entry.is_counted());
                        moved(entry.slot(), Place { bucket: before, index });
                    }
                    self.retire(number);
                }
                _ => joined.push_back(number),
            }
        }
        self.order = joined;
    }
}
