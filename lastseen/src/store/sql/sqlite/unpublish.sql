-- Takes a user's name out of the feed. The rows stay: a gap would look like changes that were missed.
-- ?1 user_id
UPDATE user_activity_feed SET user_id = NULL, forgotten_at = NULL WHERE user_id = ?1;
