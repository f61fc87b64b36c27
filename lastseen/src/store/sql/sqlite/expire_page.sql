-- All records behind a page, in the order of the key, of which the caller reads another page.
-- ?1 the last page's last user_id, or an empty text
SELECT user_id FROM user_activity WHERE user_id > ?1 ORDER BY user_id;
