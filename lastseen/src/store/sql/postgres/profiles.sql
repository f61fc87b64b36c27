-- $1 user_id[]
SELECT user_id::text, name, active, hidden
FROM {profile}
WHERE user_id = ANY ($1::{key_type}[]);
