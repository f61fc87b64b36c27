-- ?1 day
SELECT users FROM active_day WHERE day = ?1;
