-- ?1 day, ?2 number
INSERT INTO active_user (day, number) VALUES (?1, ?2) ON CONFLICT DO NOTHING;
