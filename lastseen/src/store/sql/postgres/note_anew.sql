-- Gives a user who has been active since their erasure another number, and notes them on the day of that.
-- $1 user_id, $2 when the first day began that is kept
WITH numbered AS (
    INSERT INTO {number} (user_id)
    SELECT user_id FROM {activity} WHERE user_id = $1::{key_type} AND last_activity_date >= $2
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
    RETURNING user_id, number
)
INSERT INTO {active} (day, number)
SELECT (last_activity_date AT TIME ZONE 'UTC')::date, number FROM numbered JOIN {activity} USING (user_id)
ON CONFLICT DO NOTHING;
