-- ?1 the first day, ?2 the last
SELECT day, users FROM active_day WHERE day BETWEEN ?1 AND ?2;
