//! Any history ends as it does in memory, so the merge rule in SQL is `Record::merge`.

use crate::histories::end_as_in_memory;
use crate::site::Site;

#[test]
fn any_history_ends_as_in_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (site, stores) = runtime.block_on(async {
        let site = Site::new().await;
        let handles = [site.open().await, site.open().await, site.open().await];
        (site, handles)
    });
    end_as_in_memory(&runtime, async || {
        site.sql("TRUNCATE user_activity, user_activity_profile, user_activity_feed CASCADE").await;
        (stores.clone(), ())
    });
    runtime.block_on(async { drop(stores) });
}
