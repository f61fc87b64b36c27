//! Rule 17: what comes late turns nothing back.

use std::time::SystemTime;

use super::sample::{handle, ip, left, seen, user};
use crate::{Record, Store, Timestamp, VOID_AHEAD};

/// Rule 17, for a store that has a clock of its own: what was sent two minutes ago, by a process that stood still or whose clock
/// is behind, changes nothing of what is later. It asks this machine's clock, from which the store's may differ by seconds.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_17_late<S: Store>(open: impl AsyncFn() -> S) {
    let [punctual, late] = [handle(&open).await, handle(&open).await];
    let now = Timestamp::from(SystemTime::now());
    let sent = now - VOID_AHEAD * 2;
    let [active, erased, back, erased_twice] =
        ["active", "erased", "back", "erased twice"].map(|name| user(&format!("rule 17 {name}")));

    let record = Record { left_at: Some(now), ..seen(&active, now, ip(1)) };
    punctual.write_at(std::slice::from_ref(&record), now).await;
    late.write_at(&[Record { left_at: Some(sent), ..seen(&active, sent, ip(2)) }], sent).await;
    assert_eq!(punctual.read(&active).await, Some(record), "rule 17, late: an activity and a sign-out stay");

    punctual.forget_at(&erased, now, now).await;
    late.write_at(&[Record { left_at: Some(sent), ..seen(&erased, sent, ip(2)) }], sent).await;
    assert_eq!(punctual.read(&erased).await, None, "rule 17, late: who was erased isn't brought back");

    for record in [seen(&back, now, ip(1)), left(&back, now)] {
        punctual.write_at(std::slice::from_ref(&record), now).await;
    }
    late.forget_at(&back, sent, sent).await;
    let came_and_went = Record { left_at: Some(now), ..seen(&back, now, ip(1)) };
    assert_eq!(
        punctual.read(&back).await,
        Some(came_and_went),
        "rule 17, late: an erasure takes nothing that came after it"
    );

    punctual.forget_at(&erased_twice, now, now).await;
    late.forget_at(&erased_twice, sent, sent).await;
    punctual.write_at(&[seen(&erased_twice, now, ip(1))], now).await;
    assert_eq!(punctual.read(&erased_twice).await, None, "rule 17, late: the later of two erasures holds");
}
