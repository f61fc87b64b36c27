-- Takes a user's number away, and gives it.
-- ?1 user_id
DELETE FROM user_number WHERE user_id = ?1 RETURNING number;
