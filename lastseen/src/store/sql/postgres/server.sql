-- Which server answers, since when, and in which history of writes: another after each failover, and after a restart, since
-- a server may have been told not to wait for its disk. NULL from a standby, which acknowledges no write.
CASE
    WHEN NOT pg_is_in_recovery()
    THEN concat(extract(epoch FROM pg_postmaster_start_time()), '/', left(pg_walfile_name(pg_current_wal_lsn()), 8))
END
