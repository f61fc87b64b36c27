-- Gives a user a number.
-- ?1 user_id
INSERT INTO user_number (user_id) VALUES (?1) RETURNING number;
