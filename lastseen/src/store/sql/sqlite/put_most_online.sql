-- Keeps the greater number, and of the same the earlier moment.
-- ?1 online, ?2 at
INSERT INTO most_online (one, online, at)
VALUES (1, ?1, ?2)
ON CONFLICT (one) DO UPDATE SET online = excluded.online, at = excluded.at
WHERE excluded.online > online OR (excluded.online = online AND excluded.at < at);
