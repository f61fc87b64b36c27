-- The days of which there are rows enough, or that are over.
-- $1 rows, $2 today, in days since 1970
SELECT active.day - date '1970-01-01' AS day
FROM {active} AS active
GROUP BY active.day
HAVING count(*) >= $1 OR active.day < date '1970-01-01' + $2;
