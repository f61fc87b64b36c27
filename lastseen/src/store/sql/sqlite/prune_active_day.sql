-- ?1 the first day to keep
DELETE FROM active_day WHERE day < ?1;
