-- Takes from the feed's oldest end what is over its length, and what comes before the first row that is young enough.
-- A row dated far ahead is from a clock that was wrong: it counts as old.
-- ?1 rows to keep, ?2 seconds to keep
DELETE FROM user_activity_feed
WHERE seq <= max(
    (SELECT max(seq) FROM user_activity_feed) - ?1,
    coalesce(
        (
            SELECT seq - 1 FROM user_activity_feed
            WHERE written_at BETWEEN unixepoch() - ?2 AND unixepoch() + 60
            ORDER BY seq
            LIMIT 1
        ),
        0
    )
);
