-- Schema 2: what is kept of the past.

-- How many were online. A resolution is its length in seconds; at is microseconds since 1970 UTC.
CREATE TABLE online_history (
    resolution INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    online     INTEGER NOT NULL,
    peak       INTEGER NOT NULL,
    PRIMARY KEY (resolution, at)
) STRICT, WITHOUT ROWID;

-- The most ever, in one row.
CREATE TABLE most_online (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    online INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

-- A small number for each user who was active, by which the days know them. None is ever given twice.
CREATE TABLE user_number (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL UNIQUE
) STRICT;

-- Who was active on a day, in days since 1970, until there are enough of them ...
CREATE TABLE active_user (
    day    INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (day, number)
) STRICT, WITHOUT ROWID;

-- ... to be folded into that day's set: numbers, as a Roaring bitmap.
CREATE TABLE active_day (
    day   INTEGER PRIMARY KEY,
    users BLOB NOT NULL
) STRICT;
