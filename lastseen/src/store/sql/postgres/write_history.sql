-- Merges spans by maximum, keeps the most ever, and lets go of what is no longer kept.
-- $1 resolution[], $2 at[], $3 online[], $4 peak[], $5 the most or NULL, $6 when, $7 resolution[], $8 the oldest to keep[]
WITH put AS (
    INSERT INTO {history} AS stored (resolution, at, online, peak)
    SELECT resolution, at, online, peak
    FROM unnest($1, $2, $3, $4) AS batch (resolution, at, online, peak)
    -- In this order all processes lock the rows, so no two of them wait for each other.
    ORDER BY resolution, at
    ON CONFLICT (resolution, at) DO UPDATE SET
        online = greatest(stored.online, excluded.online),
        peak = greatest(stored.peak, excluded.peak)
    WHERE excluded.online > stored.online OR excluded.peak > stored.peak
),
most AS (
    UPDATE {meta} SET most_online = $5, most_online_at = $6
    WHERE $5 > coalesce(most_online, -1) OR ($5 = most_online AND $6 < most_online_at)
)
DELETE FROM {history} AS history
USING unnest($7, $8) AS kept (resolution, oldest)
WHERE history.resolution = kept.resolution AND at < oldest;
