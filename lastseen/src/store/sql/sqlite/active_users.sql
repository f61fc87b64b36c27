-- Those not yet in a day's set.
-- ?1 the first day, ?2 the last
SELECT number FROM active_user WHERE day BETWEEN ?1 AND ?2;
