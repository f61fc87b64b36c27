-- What a record is merged into. One row always.
-- ?1 user_id
SELECT a.last_activity_date, a.last_activity_ip, a.left_at, f.forgotten_at, n.number
FROM (SELECT ?1 AS user_id) AS wanted
LEFT JOIN user_activity AS a ON a.user_id = wanted.user_id
LEFT JOIN user_forgotten AS f ON f.user_id = wanted.user_id
LEFT JOIN user_number AS n ON n.user_id = wanted.user_id;
