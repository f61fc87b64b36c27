-- What a table that is there already is like: the type of its key, to what that refers, and what this role may not do.
-- $1 the records' table, $2 all tables[]
SELECT
    (
        SELECT typname::text
        FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = place.oid AND attname = 'user_id'
    ) AS key,
    users.nspname::text AS users_schema,
    users.relname::text AS users_table,
    users.attname::text AS users_column,
    (
        SELECT string_agg(DISTINCT privilege, ', ')
        FROM unnest($2) AS tables (name)
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privileges (privilege)
        WHERE NOT has_table_privilege(name, privilege)
    ) AS lacking
FROM (SELECT $1::text::regclass::oid AS oid) AS place
LEFT JOIN LATERAL (
    SELECT nspname, relname, attname
    FROM pg_constraint
    JOIN pg_class ON pg_class.oid = confrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = confrelid AND attnum = confkey[1]
    WHERE conrelid = place.oid
        AND contype = 'f'
        AND conkey = ARRAY[(SELECT attnum FROM pg_attribute WHERE attrelid = place.oid AND attname = 'user_id')]
    LIMIT 1
) AS users ON true;
