-- ?1 user_id
SELECT name, active, hidden FROM user_profile WHERE user_id = ?1;
