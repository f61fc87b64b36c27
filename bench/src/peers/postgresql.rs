//! PostgreSQL: a row a user, written at each request and committed to disk, as the recipe has it.

use std::error::Error;
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lastseen::Timestamp;
use postgres::{Client, Config, NoTls, Statement};

use super::Database;
use crate::population::{Population, now_micros};
use crate::server::Server;

pub struct Postgres {
    client: Client,
    upsert: Statement,
    newest: Statement,
    count: Statement,
    pub version: String,
    _server: Server,
}

impl Postgres {
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let mut server = Server::postgres()?;
        let mut client =
            server.connect(|folder| Config::new().host_path(folder).user("bench").dbname("postgres").connect(NoTls))?;
        client.batch_execute(
            "CREATE TABLE user_activity (
                user_id text PRIMARY KEY, last_activity_date timestamptz NOT NULL, last_activity_ip inet
            )",
        )?;
        let upsert = client.prepare(
            "INSERT INTO user_activity VALUES ($1, $2, $3::text::inet) ON CONFLICT (user_id) DO UPDATE
             SET last_activity_date = excluded.last_activity_date, last_activity_ip = excluded.last_activity_ip",
        )?;
        let newest = client.prepare(
            "SELECT user_id, last_activity_date, last_activity_ip::text FROM user_activity
             WHERE last_activity_date >= $1 ORDER BY last_activity_date DESC LIMIT $2",
        )?;
        let count = client.prepare("SELECT count(*) FROM user_activity WHERE last_activity_date >= $1")?;
        let version = client.query_one("SHOW server_version", &[])?.get(0);
        Ok(Self { client, upsert, newest, count, version, _server: server })
    }

    /// From here on an index on the date answers for the newest.
    pub fn index(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.client.batch_execute("CREATE INDEX ON user_activity (last_activity_date)")?)
    }
}

impl Database for Postgres {
    fn fill(&mut self, population: Population) -> Result<(), Box<dyn Error>> {
        self.client.batch_execute("TRUNCATE user_activity")?;
        let mut copy = self.client.copy_in("COPY user_activity FROM STDIN")?;
        let mut outcome = Ok(());
        population.activities(now_micros(), |id, ip, at| {
            if outcome.is_ok() {
                outcome = writeln!(copy, "{id}\t{}\t{ip}", Timestamp::from_micros(at));
            }
        });
        outcome?;
        copy.finish()?;
        self.client.batch_execute("VACUUM ANALYZE user_activity")?;
        Ok(())
    }

    fn touch(&mut self, id: &str, ip: IpAddr) -> Result<(), Box<dyn Error>> {
        self.client.execute(&self.upsert, &[&id, &SystemTime::now(), &ip.to_string()])?;
        Ok(())
    }

    fn newest(&mut self, since: i64, limit: usize) -> Result<Vec<String>, Box<dyn Error>> {
        let rows = self.client.query(&self.newest, &[&time(since), &i64::try_from(limit)?])?;
        Ok(rows.into_iter().map(|row| row.get(0)).collect())
    }

    fn count(&mut self, since: i64) -> Result<usize, Box<dyn Error>> {
        Ok(usize::try_from(self.client.query_one(&self.count, &[&time(since)])?.get::<_, i64>(0))?)
    }
}

fn time(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}
