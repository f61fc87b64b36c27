-- Settings of the connection that writes.

-- Each commit reaches the disk: a loss of power loses nothing that was acknowledged.
PRAGMA synchronous = FULL;
-- A log that one great batch made long is cut to 8 MiB when it is next reused.
PRAGMA journal_size_limit = 8388608;
-- Pages in memory: 16 MiB.
PRAGMA cache_size = -16384;
-- Overwrites what is erased with zeros where that costs no further I/O.
PRAGMA secure_delete = FAST;
