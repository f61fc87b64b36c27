-- The days of which there are rows enough, or that are over.
-- ?1 rows, ?2 today
SELECT day FROM active_user GROUP BY day HAVING count(*) >= ?1 OR day < ?2;
