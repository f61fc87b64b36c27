-- The days on which a user is noted, by a row or perhaps in the day's set; and the number to look for there.
-- $1 user_id, $2 the first day to tell, in days since 1970
WITH known AS (
    SELECT number FROM {number} WHERE user_id = $1::{key_type}
)
SELECT day - date '1970-01-01' AS day, number, NULL::bytea AS users
FROM {active} JOIN known USING (number)
WHERE day >= date '1970-01-01' + $2
UNION ALL
SELECT day - date '1970-01-01', number, users
FROM {day} CROSS JOIN known
WHERE day >= date '1970-01-01' + $2;
