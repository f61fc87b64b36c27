-- What there is before anything is made: the server, and the tables by these names.
-- $1 the schema that was asked for, or NULL, $2 the records' table, $3 the version's
SELECT
    current_setting('server_version_num')::integer AS server_version,
    current_setting('server_version') AS server_version_text,
    getdatabaseencoding()::text AS encoding,
    current_user::text AS role,
    place.schema,
    to_regnamespace(quote_ident(place.schema)) IS NOT NULL AS has_schema,
    to_regclass(quote_ident(place.schema) || '.' || quote_ident($2)) IS NOT NULL AS has_table,
    to_regclass(quote_ident(place.schema) || '.' || quote_ident($3)) IS NOT NULL AS has_version
FROM (
    -- Where such a table is found without its schema's name, or else where a new one would go.
    SELECT coalesce(
        $1::text,
        (
            SELECT nspname::text
            FROM pg_class
            JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE pg_class.oid = to_regclass(quote_ident($3::text))
        ),
        current_schema()::text
    ) AS schema
) AS place;
