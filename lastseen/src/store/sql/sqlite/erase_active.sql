-- ?1 number
DELETE FROM active_user WHERE number = ?1;
