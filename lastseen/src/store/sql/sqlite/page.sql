-- All records behind a page, in the order of the key, of which the caller reads another page. What is recent it picks out: a
-- condition here would let one page read the whole table where little is recent, and hold up the log's reuse for as long.
-- ?1 the last page's last user_id, or an empty text
SELECT user_id, last_activity_date, last_activity_ip, left_at
FROM user_activity
WHERE user_id > ?1
ORDER BY user_id;
