//! Which server has which slots, and who is asked for that.

use ::redis::{Value, cmd};

use super::answer;
use super::error::{Kind, RedisError};
use super::node::Node;
use super::target::Address;

/// Where slots are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Map {
    /// All on one server.
    One(Address),
    /// The last slot of each range, and its master; in order.
    Ranges(Vec<(u16, Address)>),
}

impl Map {
    /// Where a slot is; `None` where no master has it.
    pub(super) fn find(&self, slot: u16) -> Option<&Address> {
        match self {
            Self::One(address) => Some(address),
            Self::Ranges(ranges) => {
                let (last, address) = ranges.get(ranges.partition_point(|(last, _)| *last < slot))?;
                (*last >= slot && !address.host.is_empty()).then_some(address)
            }
        }
    }

    /// Whether slots are at this address.
    pub(super) fn has(&self, address: &Address) -> bool {
        match self {
            Self::One(one) => one == address,
            Self::Ranges(ranges) => ranges.iter().any(|(_, one)| one == address),
        }
    }

    /// As one of a Cluster's servers says.
    pub(super) async fn of_cluster(node: &Node) -> Result<Self, RedisError> {
        let answer = node.ask("asking for the Cluster's slots", cmd("CLUSTER").arg("SLOTS")).await?;
        Self::from_slots(&answer, &node.address).ok_or_else(|| {
            let message = format!("Redis at {} tells of no slots: the Cluster must have been created", node.address);
            RedisError::new(Kind::Unavailable, message)
        })
    }

    /// As a Sentinel says.
    pub(super) async fn of_sentinel(node: &Node, service: &str) -> Result<Self, RedisError> {
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
        let answer = node.ask("asking a Sentinel for the primary", &question).await?;
        let address = |answer: &Value| {
            let [host, port] = answer::list(answer)? else { return None };
            Some(Address { host: answer::text(host)?.into(), port: answer::text(port)?.parse().ok()? })
        };
        address(&answer).map(Self::One).ok_or_else(|| {
            let message = format!("the Sentinel at {} knows no {service:?}: name what it watches", node.address);
            RedisError::new(Kind::Mismatch, message)
        })
    }

    fn from_slots(answer: &Value, asked: &Address) -> Option<Self> {
        let mut ranges = Vec::new();
        for range in answer::list(answer)? {
            let [first, last, master, ..] = answer::list(range)? else { return None };
            let [host, port, ..] = answer::list(master)? else { return None };
            let number = |value: &Value| match value {
                Value::Int(number) => u16::try_from(*number).ok(),
                _ => None,
            };
            // Where a server doesn't know its own address it is the one by which it was reached.
            let host = answer::text(host).filter(|host| !host.is_empty() && *host != "?").unwrap_or(&asked.host);
            ranges.push((number(first)?, number(last)?, Address { host: host.into(), port: number(port)? }));
        }
        ranges.sort_by_key(|(first, ..)| *first);
        let mut map = Vec::new();
        let mut next = 0;
        for (first, last, address) in ranges {
            if first > next {
                // Nobody's.
                map.push((first - 1, Address { host: String::new(), port: 0 }));
            }
            next = last.saturating_add(1);
            map.push((last, address));
        }
        (!map.is_empty()).then_some(Self::Ranges(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found() {
        let range = |first, last, host: &str, port| {
            let master =
                Value::Array(vec![Value::BulkString(host.into()), Value::Int(port), Value::BulkString("id".into())]);
            Value::Array(vec![Value::Int(first), Value::Int(last), master])
        };
        let answer = Value::Array(vec![range(100, 199, "b", 2), range(0, 49, "", 1), range(50, 50, "c", 3)]);
        let asked = Address { host: "a".into(), port: 9 };
        let map = Map::from_slots(&answer, &asked).unwrap();
        let found = |slot| map.find(slot).map(ToString::to_string);
        for (slot, address) in [(0, "a:1"), (49, "a:1"), (50, "c:3"), (100, "b:2"), (199, "b:2")] {
            assert_eq!(found(slot).as_deref(), Some(address), "{slot}");
        }
        for slot in [51, 99, 200, 16_383] {
            assert_eq!(found(slot), None, "{slot}");
        }
        assert_eq!(Map::from_slots(&Value::Array(Vec::new()), &asked), None);
    }
}
