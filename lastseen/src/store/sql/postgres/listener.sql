-- The connection on which this is asked, and for how many microseconds the server has had it.
SELECT
    pid,
    coalesce((extract(epoch FROM clock_timestamp() - backend_start) * 1000000)::bigint, 0) AS age
FROM pg_stat_activity
WHERE pid = pg_backend_pid();
