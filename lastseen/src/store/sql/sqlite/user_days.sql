-- The days on which a user was active and is not in the set yet.
-- ?1 number, ?2 the first day to tell
SELECT day FROM active_user WHERE number = ?1 AND day >= ?2;
