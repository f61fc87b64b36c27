//! What each viewer sees of everyone: the one place that decides it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use lastseen::{LastSeen, Online, OnlineUser};

use crate::api::{CountAnswer, GuestAnswer, GuestUserAnswer, LastSeenAnswer, OnlineAnswer, OnlineUserAnswer};
use crate::value::{Value, one_of};

mod dates;

pub use dates::Dates;

/// Someone who may see who is online. Who hides is in no list that reaches this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Sees everything, addresses included.
    Admin,
    /// Sees everything but addresses, and dates no more exactly than this.
    Reader(Dates),
}

impl Viewer {
    pub(crate) fn dates(self) -> Dates {
        match self {
            Self::Admin => Dates::Exact,
            Self::Reader(dates) => dates,
        }
    }

    pub(crate) fn address(self, ip: Option<IpAddr>) -> Option<IpAddr> {
        ip.filter(|_| self == Self::Admin)
    }

    /// The list, cut to its newest `limit`. It must hold [enough](Dates::enough) of them.
    pub(crate) fn online(self, online: &Online, limit: usize) -> OnlineAnswer {
        OnlineAnswer {
            count: count(online),
            users: self.dates().list(online, limit).into_iter().map(|user| self.online_user(user)).collect(),
        }
    }

    pub(crate) fn online_user(self, online: &OnlineUser) -> OnlineUserAnswer {
        OnlineUserAnswer {
            user: online.user.clone(),
            name: name(online.name.as_ref()),
            last_activity_date: self.dates().show(online.at),
            last_activity_ip: self.address(online.ip),
        }
    }

    pub(crate) fn last_seen(self, seen: LastSeen) -> LastSeenAnswer {
        LastSeenAnswer {
            as_of: seen.as_of,
            user: seen.user,
            name: name(seen.name.as_ref()),
            online: seen.online,
            last_activity_date: self.dates().show(seen.at),
            last_activity_ip: self.address(seen.ip),
            left_at: seen.left_at.map(|left_at| self.dates().show(left_at)),
        }
    }
}

/// The name, where it can be seen: one of blanks, as a site's table may have it, is none.
fn name(name: Option<&Arc<str>>) -> Option<Arc<str>> {
    name.filter(|name| !name.trim().is_empty()).cloned()
}

/// How many are online, and for what moment and window that holds.
pub(crate) fn count(online: &Online) -> CountAnswer {
    CountAnswer { as_of: online.as_of, window: online.window, count: online.count }
}

/// What those see who needn't say who they are, such as the visitors of a page with the widget in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guests {
    /// Nothing.
    #[default]
    Off,
    /// How many are online.
    Count,
    /// That, and the names of the newest. Whoever has no name is only counted: guests see no ids, dates or addresses.
    Names,
}

impl Guests {
    /// What they see of a list, of whose newest `limit` names are shown, in the order that dates give as they are shown to
    /// readers; `None` where that is nothing.
    pub(crate) fn online(self, online: &Online, dates: Dates, limit: usize) -> Option<GuestAnswer> {
        let named = |user: &OnlineUser| name(user.name.as_ref()).map(|name| GuestUserAnswer { name });
        let users = match self {
            Self::Off => return None,
            Self::Count => None,
            Self::Names => Some(dates.list(online, limit).into_iter().filter_map(named).collect()),
        };
        Some(GuestAnswer { count: count(online), users })
    }
}

impl fmt::Display for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Count => "count",
            Self::Names => "names",
        })
    }
}

impl Value for Guests {
    fn read(text: &str) -> Result<Self, String> {
        one_of([Self::Off, Self::Count, Self::Names], text)
            .ok_or_else(|| format!("{text:?} is not what guests may see: there are off, count and names"))
    }
}
