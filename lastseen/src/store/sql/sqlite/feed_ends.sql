-- Up to where the feed has been cut off, and its last number.
SELECT
    coalesce((SELECT min(seq) - 1 FROM user_activity_feed), 0),
    coalesce((SELECT max(seq) FROM user_activity_feed), 0);
