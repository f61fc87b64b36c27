-- Takes away, of a page of all records in the order of the key, what is kept no longer. Gives the page's last user where there
-- is another page after it.
-- $1 the last page's last user_id or NULL, $2 rows, $3 the earliest date whose address is kept and $4 the earliest that is kept
-- at all, or NULL, $5 the caller's time
WITH page AS MATERIALIZED (
    SELECT user_id, row_number() OVER (ORDER BY user_id) AS number
    FROM {activity}
    WHERE $1::{key_type} IS NULL OR user_id > $1::{key_type}
    ORDER BY user_id
    LIMIT $2
),
kept AS MATERIALIZED (
    -- By the clock that is behind, so that a caller's that is ahead takes away nothing.
    SELECT $3 - ahead AS addresses, $4 - ahead AS records
    FROM (SELECT greatest($5 - statement_timestamp(), interval '0') AS ahead) AS clocks
),
stale AS MATERIALIZED (
    SELECT
        user_id,
        greatest(last_activity_date, left_at) < kept.records IS TRUE AS is_over,
        forgotten_at IS NOT NULL AS is_erased
    FROM {activity} AS stored
    JOIN page USING (user_id)
    CROSS JOIN kept
    WHERE greatest(last_activity_date, left_at) < kept.records
        OR (last_activity_ip IS NOT NULL AND last_activity_date < kept.addresses)
    -- Whom another has locked is being written, and left for the next time: waiting here could end in a deadlock.
    FOR UPDATE OF stored SKIP LOCKED
),
removed AS (
    DELETE FROM {activity} WHERE user_id IN (SELECT user_id FROM stale WHERE is_over AND NOT is_erased)
),
emptied AS (
    -- The date of an erasure stays for its day.
    UPDATE {activity} AS stored SET
        last_activity_date = CASE WHEN NOT is_over THEN last_activity_date END,
        last_activity_ip = NULL,
        left_at = CASE WHEN NOT is_over THEN left_at END
    FROM stale
    WHERE stored.user_id = stale.user_id AND (is_erased OR NOT is_over)
),
unprofiled AS (
    DELETE FROM {profile} WHERE user_id IN (SELECT user_id FROM stale WHERE is_over)
),
unpublished AS (
    DELETE FROM {feed} WHERE kind <> 'forgotten' AND user_id IN (SELECT user_id FROM stale WHERE is_over)
),
parted AS (
    -- Of those who are removed the foreign key sees to it.
    UPDATE {number} SET user_id = NULL WHERE user_id IN (SELECT user_id FROM stale WHERE is_over AND is_erased)
)
SELECT user_id::text FROM page WHERE number = $2;
