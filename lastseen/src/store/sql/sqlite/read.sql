-- ?1 user_id
SELECT user_id, last_activity_date, last_activity_ip, left_at
FROM user_activity
WHERE user_id = ?1;
