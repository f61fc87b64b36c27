-- Whether the turn to change the days' sets is free, and taken now, until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtextextended({lock}, 2));
