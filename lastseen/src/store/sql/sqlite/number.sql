-- ?1 user_id
SELECT number FROM user_number WHERE user_id = ?1;
