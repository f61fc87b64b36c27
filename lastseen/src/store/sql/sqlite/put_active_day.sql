-- ?1 day, ?2 users
INSERT INTO active_day (day, users) VALUES (?1, ?2)
ON CONFLICT (day) DO UPDATE SET users = excluded.users;
