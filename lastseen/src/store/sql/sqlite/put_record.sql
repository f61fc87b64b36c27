-- Puts a merged record in its place.
-- ?1 user_id, ?2 last_activity_date, ?3 last_activity_ip, ?4 left_at
INSERT INTO user_activity (user_id, last_activity_date, last_activity_ip, left_at)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id) DO UPDATE SET
    last_activity_date = excluded.last_activity_date,
    last_activity_ip = excluded.last_activity_ip,
    left_at = excluded.left_at;
