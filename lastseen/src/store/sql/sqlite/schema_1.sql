-- Schema 1. Dates are microseconds since 1970 UTC. No index on a date: it would double every write, and memory
-- holds that order already.

-- One record a user.
CREATE TABLE user_activity (
    user_id            TEXT PRIMARY KEY NOT NULL,
    last_activity_date INTEGER,
    last_activity_ip   TEXT,
    left_at            INTEGER
) STRICT, WITHOUT ROWID;

-- The same for people: dates in RFC 3339.
CREATE VIEW user_activity_readable AS
WITH split AS (
    SELECT
        user_id,
        last_activity_ip,
        -- The remainder of a date before 1970 is negative: brought up to 0..999999.
        (last_activity_date % 1000000 + 1000000) % 1000000 AS seen_micros,
        last_activity_date,
        (left_at % 1000000 + 1000000) % 1000000 AS left_micros,
        left_at
    FROM user_activity
)
SELECT
    user_id,
    strftime('%Y-%m-%dT%H:%M:%S', (last_activity_date - seen_micros) / 1000000, 'unixepoch')
        || printf('.%06dZ', seen_micros) AS last_activity_date,
    last_activity_ip,
    strftime('%Y-%m-%dT%H:%M:%S', (left_at - left_micros) / 1000000, 'unixepoch')
        || printf('.%06dZ', left_micros) AS left_at
FROM split;

-- What a site without a directory says of its users.
CREATE TABLE user_profile (
    user_id TEXT PRIMARY KEY NOT NULL,
    name    TEXT,
    active  INTEGER NOT NULL,
    hidden  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Users erased within the last day, so that what was in flight can't bring them back.
CREATE TABLE user_forgotten (
    user_id      TEXT PRIMARY KEY NOT NULL,
    forgotten_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX user_forgotten_by_date ON user_forgotten (forgotten_at);

-- What changed, in the order of the commits, for other processes to follow. Rows leave from the oldest end alone and
-- the newest always stays, so seq has no gaps and is never given twice.
CREATE TABLE user_activity_feed (
    seq          INTEGER PRIMARY KEY,
    -- NULL once the user has been forgotten.
    user_id      TEXT,
    kind         TEXT NOT NULL CHECK (kind IN ('activity', 'profile', 'forgotten')),
    -- For 'forgotten' alone.
    forgotten_at INTEGER,
    -- Whose handle wrote it, so that it need not follow itself.
    origin       INTEGER NOT NULL,
    -- Seconds since 1970, by SQLite's clock: it says no more than when the row may go.
    written_at   INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
