-- Schema 2: what is kept of the past.

-- How many were online. A resolution is its length in seconds.
CREATE TABLE {history} (
    resolution integer     NOT NULL,
    at         timestamptz NOT NULL,
    online     integer     NOT NULL,
    peak       integer     NOT NULL,
    PRIMARY KEY (resolution, at)
);

-- The most ever.
ALTER TABLE {meta}
    ADD COLUMN most_online    integer,
    ADD COLUMN most_online_at timestamptz;

-- A small number for each user who was active, by which the days know them. None is ever given twice. One without a user
-- is of somebody whose row is gone, and about to be taken out of every day. The key's type is that of the table that is
-- there, whatever this process was told.
CREATE TABLE {number} AS SELECT user_id FROM {activity} WHERE last_activity_date IS NOT NULL;

ALTER TABLE {number}
    ADD COLUMN number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD UNIQUE (user_id),
    ADD FOREIGN KEY (user_id) REFERENCES {activity} (user_id) ON DELETE SET NULL;

-- Who was active on a day, until there are enough of them. Whoever notes a number that is being taken away waits for
-- that, fails, and tries again.
CREATE TABLE {active} (
    day    date    NOT NULL,
    number integer NOT NULL REFERENCES {number} (number) ON DELETE CASCADE,
    PRIMARY KEY (day, number)
);

-- On the day of a record its user is noted: whoever writes to it on that day relies on it.
INSERT INTO {active} (day, number)
SELECT (last_activity_date AT TIME ZONE 'UTC')::date, number FROM {number} JOIN {activity} USING (user_id);

-- They are folded into that day's set then: numbers, as a Roaring bitmap.
CREATE TABLE {day} (
    day   date  PRIMARY KEY,
    users bytea NOT NULL
);
