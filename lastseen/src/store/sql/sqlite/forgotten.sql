-- Everybody who was erased within the last day, and when.
SELECT user_id, forgotten_at FROM user_forgotten;
