//! What each viewer sees of everyone: the one place that decides it.

use std::net::IpAddr;

use lastseen::{LastSeen, Online, OnlineUser};

use crate::api::{CountAnswer, LastSeenAnswer, OnlineAnswer, OnlineUserAnswer};

/// Someone who may see who is online. Who hides is in no list that reaches this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Sees everything, addresses included.
    Admin,
    /// Sees everything but addresses.
    Reader,
}

impl Viewer {
    pub(crate) fn address(self, ip: Option<IpAddr>) -> Option<IpAddr> {
        ip.filter(|_| self == Self::Admin)
    }

    /// The list, cut to its newest `limit`.
    pub(crate) fn online(self, online: &Online, limit: usize) -> OnlineAnswer {
        OnlineAnswer {
            count: count(online),
            users: online.iter().take(limit).map(|user| self.online_user(user)).collect(),
        }
    }

    pub(crate) fn online_user(self, online: &OnlineUser) -> OnlineUserAnswer {
        OnlineUserAnswer {
            user: online.user.clone(),
            name: online.name.clone(),
            last_activity_date: online.at,
            last_activity_ip: self.address(online.ip),
        }
    }

    pub(crate) fn last_seen(self, seen: LastSeen) -> LastSeenAnswer {
        LastSeenAnswer {
            as_of: seen.as_of,
            user: seen.user,
            name: seen.name,
            online: seen.online,
            last_activity_date: seen.at,
            last_activity_ip: self.address(seen.ip),
            left_at: seen.left_at,
        }
    }
}

/// How many are online, and for what moment and window that holds.
pub(crate) fn count(online: &Online) -> CountAnswer {
    CountAnswer { as_of: online.as_of, window: online.window, count: online.count }
}
