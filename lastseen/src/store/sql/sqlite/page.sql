-- A page of all records in the order of the key. What is recent is picked out by the caller: a condition here would
-- let one page read the whole table where little is recent, and hold up the log's reuse for as long.
-- ?1 the last page's last user_id, or an empty text, ?2 rows
SELECT user_id, last_activity_date, last_activity_ip, left_at
FROM user_activity
WHERE user_id > ?1
ORDER BY user_id
LIMIT ?2;
