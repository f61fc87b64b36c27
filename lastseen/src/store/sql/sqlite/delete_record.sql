-- ?1 user_id
DELETE FROM user_activity WHERE user_id = ?1;
