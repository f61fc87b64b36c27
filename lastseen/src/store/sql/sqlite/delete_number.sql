-- ?1 user_id
DELETE FROM user_number WHERE user_id = ?1;
