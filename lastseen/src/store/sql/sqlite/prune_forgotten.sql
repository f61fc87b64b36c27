-- ?1 the oldest forgotten_at to keep
DELETE FROM user_forgotten WHERE forgotten_at < ?1;
