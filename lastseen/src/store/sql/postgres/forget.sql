-- Erases a user, and keeps out until a day later what was in flight.
-- $1 user_id, $2 forgotten_at, $3 origin
WITH forgetting AS (
    SELECT $1::{key_type} AS user_id
),
erased AS (
    -- On the very row that a writer at the same time would merge into: whichever comes second sees the other.
    INSERT INTO {activity} AS stored (user_id, forgotten_at)
    SELECT user_id, $2 FROM forgetting AS known WHERE {is_user}
    ON CONFLICT (user_id) DO UPDATE SET
        last_activity_date = NULL,
        last_activity_ip = NULL,
        left_at = NULL,
        forgotten_at = greatest(stored.forgotten_at, excluded.forgotten_at)
    RETURNING forgotten_at
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
    RETURNING xid
)
SELECT 0::bigint AS unknown, {server} AS server, pg_notify({channel}, $3::text) AS notified FROM published;
