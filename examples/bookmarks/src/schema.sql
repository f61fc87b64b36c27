-- What the site keeps. Nothing here knows of lastseen: its records live in a store of their own, by user.id.

CREATE TABLE IF NOT EXISTS user (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    -- In the clear, so that the example stays short. A real site stores a hash, by argon2 for instance.
    password TEXT NOT NULL,
    is_active INTEGER NOT NULL DEFAULT TRUE
) STRICT;

CREATE TABLE IF NOT EXISTS bookmark (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id),
    title TEXT NOT NULL,
    url TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS comment (
    id INTEGER PRIMARY KEY,
    bookmark_id INTEGER NOT NULL REFERENCES bookmark (id),
    user_id INTEGER NOT NULL REFERENCES user (id),
    text TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS comment_bookmark_id ON comment (bookmark_id);
