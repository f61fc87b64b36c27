-- ?1 user_id
DELETE FROM user_profile WHERE user_id = ?1;
