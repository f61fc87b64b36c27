-- Where the feed ends now, whether a reader who stood at a place has missed anything, and what others have written
-- since, each user and kind once, as it is now. One row at least, with a NULL as its kind where there is nothing to tell.
--
-- A place is the snapshot of the look that gave it out, with the server's history and clock then. What was committed
-- since is what this snapshot sees and that one didn't: however long any transaction takes, no row is passed over.
-- $1 the reader's own origin, $2 timeline, $3 time, $4 snapshot; all three NULL for a reader who starts
WITH here AS MATERIALIZED (
    SELECT
        CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) ELSE '' END AS timeline,
        statement_timestamp() AS looked_at,
        pg_current_snapshot() AS snapshot
),
place AS MATERIALIZED (
    SELECT
        here.*,
        $4::text::pg_snapshot AS reached,
        -- Another history, such as a backup's or a promoted standby's, gives the same numbers to other transactions.
        $2 <> timeline
            OR pg_snapshot_xmax($4::text::pg_snapshot) > pg_snapshot_xmax(snapshot)
            -- Of a row that is pruned all have had 60 seconds to read it.
            OR (
                $3 NOT BETWEEN looked_at - interval '50 seconds' AND looked_at + interval '1 second'
                AND (SELECT pruned FROM {meta}) >= pg_snapshot_xmin($4::text::pg_snapshot)
            ) AS missed
    FROM here
),
reader AS MATERIALIZED (
    -- Whoever has missed something is told all that there is.
    SELECT
        missed, timeline, looked_at, snapshot,
        CASE WHEN missed THEN '1:1:'::pg_snapshot ELSE reached END AS reached
    FROM place
),
changed AS (
    SELECT kind, user_id, max(forgotten_at) AS forgotten_at, min(seq) AS first
    FROM reader
    JOIN {feed} AS feed
        ON feed.xid >= pg_snapshot_xmin(reached)
        AND NOT pg_visible_in_snapshot(feed.xid, reached)
        -- Beyond it lie rows of another history alone.
        AND feed.xid < pg_snapshot_xmax(snapshot)
        AND origin <> $1
    GROUP BY kind, user_id
),
told AS (
    SELECT
        changed.kind, changed.user_id::text, changed.forgotten_at,
        activity.last_activity_date, host(activity.last_activity_ip)::inet AS last_activity_ip, activity.left_at,
        profile.name, profile.active, profile.hidden, changed.first
    FROM changed
    LEFT JOIN {activity} AS activity
        ON changed.kind = 'activity'
        AND activity.user_id = changed.user_id
        AND (activity.last_activity_date IS NOT NULL OR activity.left_at IS NOT NULL)
    LEFT JOIN {profile} AS profile ON changed.kind = 'profile' AND profile.user_id = changed.user_id
    WHERE changed.kind = 'forgotten' OR activity.user_id IS NOT NULL OR profile.user_id IS NOT NULL
)
SELECT
    coalesce(missed, false), timeline, looked_at, snapshot::text,
    kind, user_id, forgotten_at, last_activity_date, last_activity_ip, left_at, name, active, hidden,
    {server} AS server
FROM reader
LEFT JOIN told ON true
ORDER BY first;
