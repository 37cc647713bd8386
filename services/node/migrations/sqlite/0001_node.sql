-- People with their grants. Kept for ever: the log names them. The body holds personal data and the password's argon2 hash.
CREATE TABLE node_person (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{code}/people/{uuid}
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,         -- of the province
    user_name TEXT NOT NULL UNIQUE,
    administers_us BIGINT,            -- from when on he administers the whole province, without an end; NULL if he does not
    body TEXT NOT NULL                -- exact JSON
);
-- Sessions. A row goes when the session ends, or at a later sign-in once it has expired.
CREATE TABLE node_session (
    token_digest BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the token, which is kept nowhere
    session_id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES node_person (name),
    start_us BIGINT NOT NULL,         -- wall time
    expire_us BIGINT NOT NULL
);
CREATE INDEX node_session_person ON node_session (person);
CREATE INDEX node_session_expiry ON node_session (expire_us);
-- The one-time link of the first start: one row, which goes when it is redeemed.
CREATE TABLE node_setup (
    one BIGINT NOT NULL PRIMARY KEY,
    token_digest BLOB NOT NULL,
    issue_us BIGINT NOT NULL
);
-- Failed sign-ins in a row by user name, known or not. A row goes at success, or an hour after the last failure.
CREATE TABLE node_throttle (
    user_name TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_us BIGINT NOT NULL           -- wall time of the last failure
);
CREATE INDEX node_throttle_age ON node_throttle (last_us);
-- Exercises. Kept for ever.
CREATE TABLE node_exercise (
    name TEXT NOT NULL PRIMARY KEY,   -- exercises/{uuid}
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,         -- of the province
    state TEXT NOT NULL,              -- open or ended
    open_us BIGINT NOT NULL,          -- wall time
    body TEXT NOT NULL                -- exact JSON
);
CREATE INDEX node_exercise_order ON node_exercise (open_us, name);
