-- Merges a batch as `Record::merge` does, notes who was active on which day, and says how many of its users the site
-- doesn't have.
-- $1 user_id[], $2 last_activity_date[], $3 last_activity_ip[], $4 left_at[], $5 the latest date that isn't void,
-- $6 the earliest forgotten_at that still holds, $7 origin, $8 when the first day began that is kept
WITH batch AS (
    SELECT
        user_id::{key_type} AS user_id,
        CASE WHEN seen_at <= $5 THEN seen_at END AS seen_at,
        CASE WHEN seen_at <= $5 THEN ip END AS ip,
        CASE WHEN left_at <= $5 THEN left_at END AS left_at
    -- Kept from the planner, as are changes from whoever follows: told how many they are it takes the cost for one that is
    -- worth compiling for, which takes longer than the writing.
    FROM (SELECT $1 AS users, $2 AS dates, $3 AS ips, $4 AS signed_out OFFSET 0) AS lists
    CROSS JOIN unnest(users, dates, ips, signed_out) AS batch (user_id, seen_at, ip, left_at)
),
known AS (
    SELECT * FROM batch AS known WHERE {is_user}
),
merged AS (
    INSERT INTO {activity} AS stored (user_id, last_activity_date, last_activity_ip, left_at)
    SELECT user_id, seen_at, ip, left_at
    FROM known
    -- Of a user with a record it may still be that a void date has to go.
    WHERE seen_at IS NOT NULL
        OR left_at IS NOT NULL
        OR EXISTS (SELECT FROM {activity} AS present WHERE present.user_id = known.user_id)
    -- In this order all processes lock the rows, so no two of them wait for each other.
    ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET
        -- Of what is neither void nor kept out by an erasure, the greatest. No address is less than any.
        (last_activity_date, last_activity_ip) = (
            SELECT
                CASE WHEN is_later THEN excluded.last_activity_date WHEN stays THEN stored.last_activity_date END,
                CASE WHEN is_later THEN excluded.last_activity_ip WHEN stays THEN stored.last_activity_ip END
            FROM (SELECT stored.last_activity_date <= $5) AS present (stays)
            CROSS JOIN LATERAL (
                SELECT (excluded.last_activity_date, coalesce(excluded.last_activity_ip, '0.0.0.0/0'))
                        > (
                            CASE WHEN stays THEN stored.last_activity_date ELSE '-infinity' END,
                            coalesce(stored.last_activity_ip, '0.0.0.0/0')
                        )
                    AND (stored.forgotten_at BETWEEN greatest(excluded.last_activity_date, $6) AND $5) IS NOT TRUE
            ) AS newer (is_later)
        ),
        left_at = greatest(
            CASE WHEN stored.left_at <= $5 THEN stored.left_at END,
            CASE
                WHEN (stored.forgotten_at BETWEEN greatest(excluded.left_at, $6) AND $5) IS NOT TRUE
                THEN excluded.left_at
            END
        )
    -- Where that is what is there already, nothing is written and nobody is told.
    WHERE stored.last_activity_date > $5
        OR stored.left_at > $5
        OR (
            (excluded.last_activity_date, coalesce(excluded.last_activity_ip, '0.0.0.0/0'))
                > (coalesce(stored.last_activity_date, '-infinity'), coalesce(stored.last_activity_ip, '0.0.0.0/0'))
            AND (stored.forgotten_at BETWEEN greatest(excluded.last_activity_date, $6) AND $5) IS NOT TRUE
        )
        OR (
            excluded.left_at > coalesce(stored.left_at, '-infinity')
            AND (stored.forgotten_at BETWEEN greatest(excluded.left_at, $6) AND $5) IS NOT TRUE
        )
    RETURNING user_id, last_activity_date
),
published AS (
    INSERT INTO {feed} (user_id, kind, origin)
    SELECT user_id, 'activity', $7 FROM merged
    RETURNING xid
),
-- Whose day is another than their record's: on that of their record they are noted already, by the number they have.
news AS (
    SELECT known.user_id, (known.seen_at AT TIME ZONE 'UTC')::date AS day
    FROM known
    LEFT JOIN {activity} AS present ON present.user_id = known.user_id
    WHERE known.seen_at >= $8
        AND (present.forgotten_at BETWEEN greatest(known.seen_at, $6) AND $5) IS NOT TRUE
        AND (known.seen_at AT TIME ZONE 'UTC')::date
            IS DISTINCT FROM (present.last_activity_date AT TIME ZONE 'UTC')::date
),
numbered AS (
    INSERT INTO {number} (user_id)
    SELECT user_id
    FROM news
    JOIN merged USING (user_id)
    -- Whoever has one would use up another.
    WHERE NOT EXISTS (SELECT FROM {number} AS present WHERE present.user_id = merged.user_id)
    ORDER BY user_id
    -- Another process may have been faster.
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
    RETURNING user_id, number
),
noted AS (
    INSERT INTO {active} (day, number)
    SELECT day, number FROM news JOIN {number} AS present USING (user_id)
    UNION
    SELECT (last_activity_date AT TIME ZONE 'UTC')::date, number FROM numbered JOIN merged USING (user_id)
    ORDER BY day, number
    ON CONFLICT DO NOTHING
)
SELECT
    (SELECT count(*) FROM batch) - (SELECT count(*) FROM known) AS unknown,
    (SELECT pg_notify({channel}, $7::text) FROM published LIMIT 1) AS notified,
    {server} AS server;
