-- Schema 1. Names in braces are filled in: the tables', and the type of the site's user keys.
-- No index on a date: it would double every write and keep updates from being heap-only, and memory holds that order.

-- One record a user. A page has room for a new version of each of its rows, so an update stays on its page and touches
-- no index.
CREATE TABLE {activity} (
    user_id            {key} PRIMARY KEY {references},
    last_activity_date timestamptz,
    last_activity_ip   inet,
    left_at            timestamptz,
    -- When the user was erased, for a day: what was in flight then can't bring them back.
    forgotten_at       timestamptz
) WITH (fillfactor = 50);

CREATE INDEX ON {activity} (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- The same for people: those of whom something is known, how long ago, and whether they have signed out since.
CREATE VIEW {readable} AS
SELECT
    user_id,
    last_activity_date,
    host(last_activity_ip) AS last_activity_ip,
    left_at,
    date_trunc('second', now() - last_activity_date) AS ago,
    coalesce(left_at >= last_activity_date, left_at IS NOT NULL) AS signed_out
FROM {activity}
WHERE last_activity_date IS NOT NULL OR left_at IS NOT NULL;

-- What a site without a directory says of its users.
CREATE TABLE {profile} (
    user_id {key} PRIMARY KEY {references},
    name    text,
    active  boolean NOT NULL,
    hidden  boolean NOT NULL
);

-- What changed, for other processes to follow. Transactions commit in another order than they begin in, so no number
-- of a row tells what a reader has had; the transaction does, beside the snapshot in which the reader last looked.
CREATE TABLE {feed} (
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    user_id      {key} NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('activity', 'profile', 'forgotten')),
    -- For 'forgotten' alone.
    forgotten_at timestamptz,
    -- Whose handle wrote it, so that it need not follow itself.
    origin       bigint NOT NULL,
    -- By the server's clock: it says no more than when the row may go.
    written_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (xid, seq)
);

-- One row: the version of these tables, and the last transaction of which the feed no longer has all rows.
CREATE TABLE {meta} (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    pruned  xid8 NOT NULL DEFAULT '0'
);

INSERT INTO {meta} (version) VALUES (1);
