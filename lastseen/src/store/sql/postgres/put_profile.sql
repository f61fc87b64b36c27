-- Keeps a profile, and says whether the site has that user.
-- $1 user_id, $2 name, $3 active, $4 hidden, $5 origin
WITH known AS (
    SELECT * FROM (SELECT $1::{key_type} AS user_id) AS known WHERE {is_user}
),
put AS (
    INSERT INTO {profile} (user_id, name, active, hidden)
    SELECT user_id, $2, $3, $4 FROM known
    ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, active = excluded.active, hidden = excluded.hidden
    RETURNING user_id
),
published AS (
    INSERT INTO {feed} (user_id, kind, origin)
    SELECT user_id, 'profile', $5 FROM put
    RETURNING xid
)
SELECT
    1 - (SELECT count(*) FROM known) AS unknown,
    (SELECT pg_notify({channel}, $5::text) FROM published) AS notified,
    {server} AS server;
