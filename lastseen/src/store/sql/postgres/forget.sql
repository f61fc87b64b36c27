-- Erases a user up to a moment, and keeps out until a day later what was in flight.
-- $1 user_id, $2 forgotten_at, $3 origin, $4 the latest date that isn't void by the caller's clock
WITH forgetting AS (
    SELECT $1::{key_type} AS user_id
),
erased AS (
    -- On the very row that a writer at the same time would merge into: whichever comes second sees the other.
    INSERT INTO {activity} AS stored (user_id, forgotten_at)
    SELECT user_id, $2 FROM forgetting AS known WHERE {is_user}
    ON CONFLICT (user_id) DO UPDATE SET
        (last_activity_date, last_activity_ip, left_at, forgotten_at) = (
            SELECT
                CASE WHEN is_later THEN stored.last_activity_date END,
                CASE WHEN is_later THEN stored.last_activity_ip END,
                CASE WHEN stored.left_at > kept_at AND stored.left_at <= not_void THEN stored.left_at END,
                kept_at
            -- As in a write, by the later of two clocks.
            FROM greatest($4, {server_limit}) AS not_void,
                LATERAL greatest($2, CASE WHEN stored.forgotten_at <= not_void THEN stored.forgotten_at END) AS kept_at,
                LATERAL (SELECT stored.last_activity_date > kept_at AND stored.last_activity_date <= not_void) AS seen (is_later)
        )
    RETURNING user_id, forgotten_at, last_activity_date IS NOT NULL OR left_at IS NOT NULL AS came_back
),
unprofiled AS (
    DELETE FROM {profile} WHERE user_id = (SELECT user_id FROM forgetting)
),
unpublished AS (
    DELETE FROM {feed} WHERE user_id = (SELECT user_id FROM forgetting)
),
published AS (
    INSERT INTO {feed} (user_id, kind, forgotten_at, origin)
    -- An erasure that is another's is news to this handle too.
    SELECT user_id, 'forgotten', kept_at, CASE WHEN kept_at > $2 THEN 0 ELSE $3 END
    FROM forgetting, (SELECT coalesce((SELECT forgotten_at FROM erased), $2)) AS erasure (kept_at)
    UNION ALL
    -- What came after it is news to all, since it was in the feed as one change with what came before.
    SELECT user_id, 'activity', NULL, 0 FROM erased WHERE came_back
    RETURNING xid
)
SELECT 0::bigint AS unknown, {server} AS server, pg_notify({channel}, $3::text) AS notified FROM published LIMIT 1;
