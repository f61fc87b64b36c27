-- Appends a change to the feed.
-- ?1 user_id, ?2 kind, ?3 forgotten_at, ?4 origin
INSERT INTO user_activity_feed (user_id, kind, forgotten_at, origin)
VALUES (?1, ?2, ?3, ?4);
