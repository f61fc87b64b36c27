-- What others have written, each user and kind once, as it is now, in the order of the first change.
-- ?1 after which seq, ?2 the reader's own origin
SELECT
    f.kind, f.user_id, f.forgotten_at,
    a.last_activity_date, a.last_activity_ip, a.left_at,
    p.name, p.active, p.hidden
FROM (
    SELECT kind, user_id, max(forgotten_at) AS forgotten_at, min(seq) AS first
    FROM user_activity_feed
    WHERE seq > ?1 AND origin <> ?2 AND user_id IS NOT NULL
    GROUP BY user_id, kind
) AS f
LEFT JOIN user_activity AS a ON f.kind = 'activity' AND a.user_id = f.user_id
LEFT JOIN user_profile AS p ON f.kind = 'profile' AND p.user_id = f.user_id
WHERE f.kind = 'forgotten' OR a.user_id IS NOT NULL OR p.user_id IS NOT NULL
ORDER BY f.first;
