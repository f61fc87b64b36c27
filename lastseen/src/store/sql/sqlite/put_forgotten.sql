-- Keeps the later moment, and gives it back.
-- ?1 user_id, ?2 forgotten_at
INSERT INTO user_forgotten (user_id, forgotten_at)
VALUES (?1, ?2)
ON CONFLICT (user_id) DO UPDATE SET forgotten_at = max(forgotten_at, excluded.forgotten_at)
RETURNING forgotten_at;
