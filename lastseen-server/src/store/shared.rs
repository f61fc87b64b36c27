//! The store for other processes: two more handles on it, which are opened when the first of them asks.

use std::fmt;
use std::pin::Pin;

use lastseen::Store;
use lastseen::http::AddressPolicy;
use lastseen::store::SharedStore;
use tokio::sync::OnceCell;

use crate::Failure;
use crate::settings::Addresses;

type Opening = Pin<Box<dyn Future<Output = Result<SharedStore, Failure>> + Send>>;

/// What shares a store. Most servers are asked for it by nobody, and have no more connections for it.
pub struct Shared {
    open: Box<dyn Fn() -> Opening + Send + Sync>,
    opened: OnceCell<SharedStore>,
}

impl Shared {
    /// Shares the store on which `open` opens a handle, and keeps as much of addresses as is kept of all others.
    pub fn by<S, F>(addresses: Addresses, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        S: Store,
        F: Future<Output = Result<S, Failure>> + Send + 'static,
    {
        let open = move || -> Opening {
            let (writer, reader) = (open(), open());
            Box::pin(async move {
                let shared = SharedStore::new(writer.await?, reader.await?);
                Ok(match addresses.0 {
                    AddressPolicy::Keep => shared,
                    AddressPolicy::Mask | AddressPolicy::Drop => shared.addresses(move |ip| addresses.0.apply(ip)),
                })
            })
        };
        Self { open: Box::new(open), opened: OnceCell::new() }
    }

    /// The store. While it can't be opened, each call tries anew.
    pub(crate) async fn store(&self) -> Result<&SharedStore, Failure> {
        self.opened.get_or_try_init(|| (self.open)()).await
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("opened", &self.opened).finish_non_exhaustive()
    }
}
