-- Parts a user from their number.
-- $1 user_id
UPDATE {number} SET user_id = NULL WHERE user_id = $1::{key_type};
