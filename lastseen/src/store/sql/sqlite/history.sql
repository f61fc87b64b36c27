-- ?1 resolution, ?2 the earliest beginning, ?3 the latest
SELECT at, online, peak FROM online_history WHERE resolution = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at;
