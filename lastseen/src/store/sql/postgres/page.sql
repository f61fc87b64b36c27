-- The recent ones of a page of all records in the order of the key, and the page's last, recent or not: the next begins
-- after it. A page without limit would be read in one snapshot, and hold up the vacuum of the whole database.
-- $1 the last page's last user_id or NULL, $2 rows, $3 since
WITH page AS (
    SELECT *, row_number() OVER (ORDER BY user_id) AS number
    FROM {activity}
    WHERE $1::{key_type} IS NULL OR user_id > $1::{key_type}
    ORDER BY user_id
    LIMIT $2
)
SELECT user_id::text, last_activity_date, host(last_activity_ip)::inet, left_at, number = $2 AS is_last
FROM page
WHERE last_activity_date >= $3 OR left_at >= $3 OR number = $2;
