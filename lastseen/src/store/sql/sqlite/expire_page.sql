-- Where a page of all records in the order of the key ends, and how many there are in it.
-- ?1 the last page's last user_id, or an empty text, ?2 rows
SELECT max(user_id), count(*)
FROM (SELECT user_id FROM user_activity WHERE user_id > ?1 ORDER BY user_id LIMIT ?2);
