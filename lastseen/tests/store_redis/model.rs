//! Any history ends as it does in memory, so the merge rule in Lua is `Record::merge`.

use crate::histories::end_as_in_memory;
use crate::place::Place;

#[test]
fn any_history_ends_as_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    end_as_in_memory(&runtime, async || {
        // Few groups, so that users share one.
        let place = Place::new().await;
        let open = async || place.builder().groups(2).connect().await.unwrap();
        ([open().await, open().await, open().await], place)
    });
}
