-- $1 day, in days since 1970
SELECT users FROM {day} WHERE day = date '1970-01-01' + $1;
