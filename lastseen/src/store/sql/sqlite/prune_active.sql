-- ?1 the first day to keep
DELETE FROM active_user WHERE day < ?1;
