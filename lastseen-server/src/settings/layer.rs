//! What is given outside the file, one setting at a time, each with its origin: a flag, a variable, a default.

use figment::providers::Env;
use figment::value::{Map, Value};
use figment::{Error, Metadata, Profile, Provider};
use serde::Serialize;

use super::KEYS;

/// One setting's value and where it came from.
pub(super) struct Given {
    key: String,
    value: Value,
    origin: String,
}

impl Given {
    pub(super) fn new(key: &str, value: impl Into<Value>, origin: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: value.into(), origin: origin.into() }
    }

    /// A list is empty unless something is given.
    pub(super) fn none(key: &str) -> Self {
        Self::new(key, Vec::<String>::new(), "default")
    }
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, figment::value::Dict>, Error> {
        let dict = [(self.key.clone(), self.value.clone())].into();
        Ok([(Profile::Default, dict)].into())
    }
}

/// The variables that are settings. Others are let be: beside a service named lastseen, Kubernetes sets
/// `LASTSEEN_PORT` and more in every container.
///
/// Their text is taken as it is. Read as TOML, the expression `[abc]` would be a list.
pub(super) fn variables() -> impl Iterator<Item = Given> {
    let variables: Vec<_> = Env::prefixed("LASTSEEN_").only(&KEYS).iter().collect();
    variables.into_iter().map(|(key, value)| {
        let key = key.into_string();
        let origin = format!("LASTSEEN_{}", key.to_ascii_uppercase());
        Given::new(&key, value, origin)
    })
}

/// The flags that were given: the fields that `flags` serializes, but for those that are nothing or empty lists.
pub(super) fn flags(flags: &impl Serialize) -> impl Iterator<Item = Given> {
    let given = Value::serialize(flags).ok().and_then(Value::into_dict).unwrap_or_default();
    let is_given = |value: &Value| !matches!(value, Value::Empty(..)) && value.as_array() != Some(&[]);
    given.into_iter().filter(move |(_, value)| is_given(value)).map(|(key, value)| {
        let origin = format!("--{}", key.replace('_', "-"));
        Given::new(&key, value, origin)
    })
}
