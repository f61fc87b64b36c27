-- Waits for the turn to change the days' sets, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended({lock}, 2));
