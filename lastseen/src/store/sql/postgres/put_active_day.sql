-- $1 day, in days since 1970, $2 users
INSERT INTO {day} (day, users) VALUES (date '1970-01-01' + $1, $2)
ON CONFLICT (day) DO UPDATE SET users = excluded.users;
