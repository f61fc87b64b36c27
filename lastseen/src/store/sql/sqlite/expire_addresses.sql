-- ?1 the last page's last user_id, ?2 this page's, or NULL for all (text is less than a blob), ?3 the earliest date whose address is kept
UPDATE user_activity SET last_activity_ip = NULL
WHERE user_id > ?1 AND user_id <= coalesce(?2, x'') AND last_activity_ip IS NOT NULL AND last_activity_date < ?3;
