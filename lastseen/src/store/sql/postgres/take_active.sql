-- Takes a day's rows away, and gives them.
-- $1 day, in days since 1970
DELETE FROM {active} WHERE day = date '1970-01-01' + $1 RETURNING number;
