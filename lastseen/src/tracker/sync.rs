//! The lock that memory uses; under a scheduler that explores interleavings, the scheduler's.

#[cfg(not(shuttle))]
pub(super) use parking_lot::Mutex;

#[cfg(shuttle)]
pub(super) use explored::Mutex;

#[cfg(shuttle)]
mod explored {
    /// `shuttle`'s mutex with the face of `parking_lot`'s.
    pub(in crate::tracker) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in crate::tracker) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(in crate::tracker) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no panic is caught while a shard is locked")
        }
    }
}
