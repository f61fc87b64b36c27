-- Takes a day's rows away, and gives them.
-- ?1 day
DELETE FROM active_user WHERE day = ?1 RETURNING number;
