SELECT day - date '1970-01-01' AS day FROM {day} ORDER BY day;
