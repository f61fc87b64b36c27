-- $1 the first day to keep, in days since 1970
WITH pruned AS (
    DELETE FROM {day} WHERE day < date '1970-01-01' + $1
)
DELETE FROM {active} WHERE day < date '1970-01-01' + $1;
