-- ?1 resolution, ?2 the oldest beginning to keep
DELETE FROM online_history WHERE resolution = ?1 AND at < ?2;
