-- Everybody who was erased within the last day, and when.
SELECT user_id::text, forgotten_at FROM {activity} WHERE forgotten_at IS NOT NULL;
