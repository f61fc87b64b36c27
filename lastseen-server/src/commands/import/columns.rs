//! In which columns of which table a site keeps what is imported.

use std::fmt;

use clap::ValueEnum;

use crate::Failure;

/// A framework, and what its own tables have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Site {
    /// `auth_user`, with the date of the last sign-in.
    Django,
    /// `users`, with Devise's date and address of the last sign-in, where it is `trackable`.
    Devise,
    /// `AspNetUsers`, which has no such date of its own.
    AspnetIdentity,
    /// `sessions` of the session driver `database`: a row a session, some of guests.
    Laravel,
}

/// Where in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    table: String,
    id: String,
    date: String,
    ip: Option<String>,
}

impl Columns {
    /// What is named, over what the framework has.
    pub(super) fn new(
        site: Option<Site>,
        table: Option<String>,
        id: Option<String>,
        date: Option<String>,
        ip: Option<String>,
    ) -> Result<Self, Failure> {
        let (its_table, key, its_date, address) = match site {
            Some(Site::Django) => ("auth_user", "id", "last_login", None),
            Some(Site::Devise) => ("users", "id", "current_sign_in_at", Some("current_sign_in_ip")),
            Some(Site::AspnetIdentity) => ("AspNetUsers", "Id", "", None),
            Some(Site::Laravel) => ("sessions", "user_id", "last_activity", Some("ip_address")),
            None => ("", "", "", None),
        };
        // Another date has another address, if any.
        let ip = ip.or_else(|| address.filter(|_| date.is_none()).map(str::to_owned));
        let named = |given: Option<String>, its: &str| given.unwrap_or_else(|| its.to_owned());
        let columns = Self { table: named(table, its_table), id: named(id, key), date: named(date, its_date), ip };
        if columns.date.is_empty() && site == Some(Site::AspnetIdentity) {
            return Err(Failure::usage(
                "--site aspnet-identity: ASP.NET Core Identity keeps no date of its own: name the column that you added by --date",
            ));
        }
        for (flag, name) in [("table", &columns.table), ("id", &columns.id), ("date", &columns.date)] {
            if name.is_empty() {
                return Err(Failure::usage(format!("--{flag} is empty: it must be a name")));
            }
        }
        Ok(columns)
    }

    /// The query for it. SQLite takes a name that isn't there for a text, unless the table is named before it.
    pub(super) fn query(&self) -> String {
        let column = |name: &str| format!("site.{}", quoted(name));
        let ip = self.ip.as_deref().map_or_else(String::new, |ip| format!(", {}", column(ip)));
        let table = self.table.split('.').map(quoted).collect::<Vec<_>>().join(".");
        format!("SELECT {}, {}{ip} FROM {table} AS site", column(&self.id), column(&self.date))
    }
}

/// For people: `auth_user.last_login`.
impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.date)
    }
}

/// A name as SQL writes it, whatever characters it has.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(site: Option<Site>, named: [Option<&str>; 4]) -> Result<String, Failure> {
        let [table, id, date, ip] = named.map(|name| name.map(str::to_owned));
        Columns::new(site, table, id, date, ip).map(|columns| columns.query())
    }

    #[test]
    fn what_is_named_goes_over_what_the_framework_has() {
        let none = [None; 4];
        assert_eq!(
            query(Some(Site::Laravel), none).unwrap(),
            r#"SELECT site."user_id", site."last_activity", site."ip_address" FROM "sessions" AS site"#
        );
        assert_eq!(
            query(Some(Site::Devise), [None, None, Some("last_seen_at"), None]).unwrap(),
            r#"SELECT site."id", site."last_seen_at" FROM "users" AS site"#
        );
        assert_eq!(
            query(None, [Some("Own.It's \"x\""), Some("Id"), Some("a;b"), Some("ip")]).unwrap(),
            r#"SELECT site."Id", site."a;b", site."ip" FROM "Own"."It's ""x""" AS site"#
        );
        let error = query(Some(Site::AspnetIdentity), none).unwrap_err();
        assert!(error.to_string().contains("by --date"), "{error}");
        assert!(query(None, [Some(""), Some("id"), Some("at"), None]).unwrap_err().to_string().contains("--table"));
    }
}
