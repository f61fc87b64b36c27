-- $1 user_id
SELECT user_id::text, last_activity_date, host(last_activity_ip)::inet, left_at
FROM {activity}
WHERE user_id = $1::{key_type} AND (last_activity_date IS NOT NULL OR left_at IS NOT NULL);
