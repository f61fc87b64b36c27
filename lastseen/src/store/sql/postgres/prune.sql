-- Takes away what nobody needs any more; whoever finds another at it leaves it to them.
-- From the feed, what all have had a minute to read: rows older than a day, and those beyond the newest 100,000. A row
-- dated ahead is from a clock that was wrong. An outage longer than a minute costs no reader anything.
-- From the records, the erasures that hold no longer.
-- $1 the earliest forgotten_at that still holds
WITH turn AS MATERIALIZED (
    SELECT clock_timestamp() AS at
    WHERE pg_try_advisory_xact_lock(hashtextextended({lock}, 1))
),
newest AS MATERIALIZED (
    SELECT seq FROM {feed} ORDER BY xid DESC, seq DESC LIMIT 1
),
pruned AS (
    DELETE FROM {feed} AS feed
    USING turn, newest
    WHERE feed.written_at NOT BETWEEN turn.at - interval '60 seconds' AND turn.at + interval '60 seconds'
        AND (
            feed.seq <= newest.seq - 100000
            OR feed.written_at NOT BETWEEN turn.at - interval '1 day' AND turn.at + interval '60 seconds'
        )
    RETURNING feed.xid
),
noted AS (
    UPDATE {meta} SET pruned = greatest(pruned, (SELECT xid FROM pruned ORDER BY xid DESC LIMIT 1))
    WHERE EXISTS (SELECT FROM pruned)
),
expired AS MATERIALIZED (
    -- Whom another has locked is left for the next time: waiting here could end in a deadlock.
    SELECT user_id, last_activity_date IS NULL AND left_at IS NULL AS is_empty
    FROM {activity}
    WHERE forgotten_at < $1 AND EXISTS (SELECT FROM turn)
    FOR NO KEY UPDATE SKIP LOCKED
),
removed AS (
    DELETE FROM {activity} WHERE user_id IN (SELECT user_id FROM expired WHERE is_empty)
)
UPDATE {activity} SET forgotten_at = NULL WHERE user_id IN (SELECT user_id FROM expired WHERE NOT is_empty);
