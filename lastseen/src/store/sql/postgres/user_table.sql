-- The site's user table as the search path finds it, and the type of its key. No row where there is no such table.
-- $1 schema or NULL, $2 table, $3 column
SELECT
    nspname::text,
    (SELECT typname::text FROM pg_type WHERE oid = atttypid) AS key
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attname = $3 AND NOT attisdropped AND attnum > 0
WHERE pg_class.oid = to_regclass(CASE WHEN $1::text IS NULL THEN quote_ident($2) ELSE format('%I.%I', $1, $2::text) END);
