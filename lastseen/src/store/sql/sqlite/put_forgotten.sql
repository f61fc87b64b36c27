-- Keeps the later moment, unless that is void, and gives it back.
-- ?1 user_id, ?2 forgotten_at, ?3 the latest date that isn't void
INSERT INTO user_forgotten (user_id, forgotten_at)
VALUES (?1, ?2)
ON CONFLICT (user_id) DO UPDATE SET forgotten_at =
    iif(forgotten_at <= ?3, max(forgotten_at, excluded.forgotten_at), excluded.forgotten_at)
RETURNING forgotten_at;
