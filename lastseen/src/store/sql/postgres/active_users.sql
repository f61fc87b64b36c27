-- The days' sets, and those who are not in one yet.
-- $1 the first day, in days since 1970, $2 the last
SELECT users, NULL::integer AS number
FROM {day}
WHERE day BETWEEN date '1970-01-01' + $1 AND date '1970-01-01' + $2
UNION ALL
SELECT NULL, number
FROM {active}
WHERE day BETWEEN date '1970-01-01' + $1 AND date '1970-01-01' + $2;
