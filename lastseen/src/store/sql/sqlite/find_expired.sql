-- Those of a page whose last date is too old, whichever it is.
-- ?1 the last page's last user_id, ?2 this page's, ?3 the earliest date that is kept
SELECT user_id
FROM user_activity
WHERE user_id > ?1
    AND user_id <= ?2
    AND max(coalesce(last_activity_date, left_at), coalesce(left_at, last_activity_date)) < ?3;
