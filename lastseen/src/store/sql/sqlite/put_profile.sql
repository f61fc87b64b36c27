-- ?1 user_id, ?2 name, ?3 active, ?4 hidden
INSERT INTO user_profile (user_id, name, active, hidden)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, active = excluded.active, hidden = excluded.hidden;
