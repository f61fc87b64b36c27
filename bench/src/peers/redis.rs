//! Redis: a sorted set of users by date. The address is not kept; it would take a second command.

use std::error::Error;
use std::net::IpAddr;

use redis::{Client, Connection, cmd, pipe};

use super::Database;
use crate::population::{Population, Requests, now_micros};
use crate::server::Server;

const KEY: &str = "last_activity";

/// How many commands go out before an answer is awaited, where they are pipelined.
pub const PIPELINED: usize = 100;

pub struct Redis {
    connection: Connection,
    pub version: String,
    _server: Server,
}

impl Redis {
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let mut server = Server::redis(0)?;
        let mut connection = server.connect(|folder| {
            Client::open(format!("redis+unix://{}", folder.join("redis.sock").display()))?.get_connection()
        })?;
        let version = info(&mut connection, "server", "redis_version:")?;
        Ok(Self { connection, version, _server: server })
    }

    /// As [`touch`](Database::touch), many at a time.
    pub fn touch_all(&mut self, requests: &Requests) -> Result<(), Box<dyn Error>> {
        let mut pipeline = pipe();
        for (number, (id, _)) in requests.iter().enumerate() {
            pipeline.cmd("ZADD").arg(KEY).arg(now_micros()).arg(id).ignore();
            if (number + 1) % PIPELINED == 0 || number + 1 == requests.len() {
                pipeline.query::<()>(&mut self.connection)?;
                pipeline.clear();
            }
        }
        Ok(())
    }

    /// Bytes that it says it has in use.
    pub fn memory(&mut self) -> Result<u64, Box<dyn Error>> {
        Ok(info(&mut self.connection, "memory", "used_memory:")?.parse()?)
    }
}

fn info(connection: &mut Connection, section: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let text: String = cmd("INFO").arg(section).query(connection)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(value.ok_or_else(|| format!("Redis told no {name}"))?.to_owned())
}

impl Database for Redis {
    fn fill(&mut self, population: Population) -> Result<(), Box<dyn Error>> {
        let mut commands = Vec::new();
        population.activities(now_micros(), |id, _, at| {
            let mut command = cmd("ZADD");
            command.arg(KEY).arg(at).arg(id);
            commands.push(command);
        });
        cmd("DEL").arg(KEY).query::<()>(&mut self.connection)?;
        for commands in commands.chunks(10_000) {
            let mut pipeline = pipe();
            for command in commands {
                pipeline.add_command(command.clone()).ignore();
            }
            pipeline.query::<()>(&mut self.connection)?;
        }
        Ok(())
    }

    fn touch(&mut self, id: &str, _: IpAddr) -> Result<(), Box<dyn Error>> {
        Ok(cmd("ZADD").arg(KEY).arg(now_micros()).arg(id).query(&mut self.connection)?)
    }

    fn newest(&mut self, since: i64, limit: usize) -> Result<Vec<String>, Box<dyn Error>> {
        let mut command = cmd("ZREVRANGEBYSCORE");
        command.arg(KEY).arg("+inf").arg(since).arg("WITHSCORES").arg("LIMIT").arg(0).arg(limit);
        let newest: Vec<(String, f64)> = command.query(&mut self.connection)?;
        Ok(newest.into_iter().map(|(id, _)| id).collect())
    }

    fn count(&mut self, since: i64) -> Result<usize, Box<dyn Error>> {
        Ok(cmd("ZCOUNT").arg(KEY).arg(since).arg("+inf").query(&mut self.connection)?)
    }
}
