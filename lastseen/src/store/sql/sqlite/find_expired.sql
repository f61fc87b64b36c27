-- Those of a page whose last date is too old, whichever it is.
-- ?1 the last page's last user_id, ?2 this page's, or NULL for all (text is less than a blob), ?3 the earliest date that is kept
SELECT user_id
FROM user_activity
WHERE user_id > ?1
    AND user_id <= coalesce(?2, x'')
    AND max(coalesce(last_activity_date, left_at), coalesce(left_at, last_activity_date)) < ?3;
