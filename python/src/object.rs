//! A Python object as a store, and a Python function as a directory.

use std::sync::Arc;
use std::time::Instant;

use lastseen::store::{Change, Changes, Cursor, KeptSince, Page};
use lastseen::{Directory, Profile, Store, Timestamp, UserId};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::calls::{Calls, Doing};
use crate::convert::{At, User, datetime, maybe_datetime};
use crate::failure::Failure;
use crate::record::Record;
use crate::store::Patience;

/// An object of Python's that is called on the thread for that.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) object: Arc<Py<PyAny>>,
    pub(crate) calls: Calls,
}

/// A user, a name, whether active, whether hidden.
type ProfileRow = (User, Option<String>, bool, bool);

impl Object {
    /// Ends what the object has open on that thread.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        let object = Arc::clone(&self.object);
        let close = move |py: Python<'_>| match object.bind(py).getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        };
        self.calls.call(Doing::Asked, close).await
    }
}

impl Store for Object {
    type Error = Failure;

    async fn write(&self, batch: &[lastseen::Record], now: Timestamp) -> Result<(), Failure> {
        let (object, batch) = (Arc::clone(&self.object), batch.to_vec());
        let write = move |py: Python<'_>| {
            let records = batch.into_iter().map(|record| Py::new(py, Record(record))).collect::<PyResult<Vec<_>>>()?;
            object.bind(py).call_method1(intern!(py, "write"), (records, datetime(py, now)?)).map(drop)
        };
        self.calls.call(Doing::Writing, write).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<lastseen::Record>, Failure> {
        let (object, user) = (Arc::clone(&self.object), user.clone());
        let read = move |py: Python<'_>| {
            let found = object.bind(py).call_method1(intern!(py, "read"), (user.as_str(),))?;
            let found: Option<Bound<'_, Record>> = found.extract()?;
            Ok(found.map(|record| record.get().0.clone()))
        };
        self.calls.call(Doing::Asked, read).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Failure> {
        let (object, page) = (Arc::clone(&self.object), page.cloned());
        let recent = move |py: Python<'_>| {
            let page = page.as_ref().map(Cursor::as_str);
            let answer = object.bind(py).call_method1(intern!(py, "recent"), (datetime(py, since)?, page))?;
            let (found, forgotten, next): (Bound<'_, PyList>, Vec<(User, At)>, Option<String>) = answer.extract()?;
            Ok(Page {
                records: records(&found)?,
                forgotten: forgotten.into_iter().map(|(user, at)| (user.0, at.0)).collect(),
                next: next.map(Cursor::new),
            })
        };
        self.calls.call(Doing::Following, recent).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Failure> {
        let (object, cursor) = (Arc::clone(&self.object), cursor.cloned());
        let follow = move |py: Python<'_>| {
            let cursor = cursor.as_ref().map(Cursor::as_str);
            let answer = object.bind(py).call_method1(intern!(py, "follow"), (cursor,))?;
            let (changed, forgotten, cursor, missed): (Bound<'_, PyList>, Vec<(User, At)>, String, bool) =
                answer.extract()?;
            let changed = records(&changed)?.into_iter().map(Change::Record);
            let forgotten = forgotten.into_iter().map(|(user, at)| Change::Forgotten(user.0, at.0));
            Ok(Changes { changes: changed.chain(forgotten).collect(), cursor: Cursor::new(cursor), missed })
        };
        self.calls.call(Doing::Following, follow).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, _: Timestamp) -> Result<(), Failure> {
        let (object, user) = (Arc::clone(&self.object), user.clone());
        let forget = move |py: Python<'_>| {
            object.bind(py).call_method1(intern!(py, "forget"), (user.as_str(), datetime(py, at)?)).map(drop)
        };
        self.calls.call(Doing::Asked, forget).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Failure> {
        let (object, user, profile) = (Arc::clone(&self.object), user.clone(), profile.clone());
        let set = move |py: Python<'_>| {
            let profile = (user.as_str(), profile.name(), profile.is_active(), profile.is_hidden());
            object.bind(py).call_method1(intern!(py, "set_profile"), profile).map(drop)
        };
        self.calls.call(Doing::Asked, set).await
    }

    /// In one page.
    async fn expire(
        &self,
        since: KeptSince,
        _now: Timestamp,
        _page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Failure> {
        let object = Arc::clone(&self.object);
        let expire = move |py: Python<'_>| {
            let since = (maybe_datetime(py, since.addresses)?, maybe_datetime(py, since.records)?);
            object.bind(py).call_method1(intern!(py, "expire"), since).map(drop)
        };
        self.calls.call(Doing::Expiring, expire).await.map(|()| None)
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Failure> {
        let (object, users) = (Arc::clone(&self.object), users.to_vec());
        let look_up = move |py: Python<'_>| profiles(object.bind(py).getattr(intern!(py, "profiles"))?, &users);
        self.calls.call(Doing::Profiles, look_up).await
    }
}

/// After a question about so many users there are more of them to come: it is followed by a pause of so many times as long as
/// it took. So however many are online, the interpreter belongs to the requests for three quarters of the time.
const MANY: usize = 500;
const PAUSE: u32 = 3;

/// A Python function that says who users are.
pub(crate) struct Function {
    pub(crate) object: Object,
    pub(crate) patience: Arc<Patience>,
}

impl Directory for Function {
    type Error = Failure;

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Failure> {
        if self.patience.stops() {
            return Err(Failure::new("the tracker is being shut down"));
        }
        let (object, asked, users) = (Arc::clone(&self.object.object), users.len(), users.to_vec());
        let call = self.object.calls.call(Doing::Profiles, move |py| profiles(object.bind(py).clone(), &users));
        let started = Instant::now();
        let outcome = self.patience.wait(call).await;
        if asked >= MANY && !self.patience.stops() {
            tokio::time::sleep(started.elapsed() * PAUSE).await;
        }
        outcome
    }
}

fn records(list: &Bound<'_, PyList>) -> PyResult<Vec<lastseen::Record>> {
    list.iter().map(|record| Ok(record.cast::<Record>()?.get().0.clone())).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "one of its callers has no other use for it")]
fn profiles(function: Bound<'_, PyAny>, users: &[UserId]) -> PyResult<Vec<(UserId, Profile)>> {
    let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
    let rows: Vec<ProfileRow> = function.call1((users,))?.extract()?;
    let profiles = rows.into_iter().map(|(user, name, active, hidden)| {
        let profile = name.map_or_else(Profile::new, Profile::named);
        (user.0, profile.active(active).hidden(hidden))
    });
    Ok(profiles.collect())
}
