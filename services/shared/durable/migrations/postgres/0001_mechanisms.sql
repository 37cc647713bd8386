-- The event log. One row is one change of one record; seq and chain_hash are given by the sequencer, after the commit.
CREATE TABLE log_event (
    ord BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,                       -- order of writing; has gaps; only breaks ties before sequencing
    event_id TEXT NOT NULL UNIQUE,   -- UUID version 7
    seq BIGINT UNIQUE,               -- gapless from 1; NULL until sequenced
    service TEXT NOT NULL,           -- who wrote it
    kind TEXT NOT NULL,              -- type, for example incident.opened
    subject TEXT NOT NULL,           -- resource name of the record
    revision BIGINT NOT NULL,        -- of the record, after the change
    admin_code TEXT NOT NULL,        -- jurisdiction of the record
    actor TEXT NOT NULL,             -- person, partner or timer
    request_id TEXT NOT NULL,        -- of the call; empty for reactions
    traceparent TEXT NOT NULL,       -- W3C; may be empty
    space_time_us BIGINT NOT NULL,   -- microseconds since 1970, the space's time
    record_time_us BIGINT NOT NULL,  -- wall time
    payload TEXT NOT NULL,           -- exact JSON of the event; no personal data
    text_zh TEXT NOT NULL,           -- one line for people
    text_en TEXT NOT NULL,
    record_digest BYTEA NOT NULL,    -- SHA-256 of the record afterwards
    private_digest BYTEA,            -- salted SHA-256 of the private part, which stands in log_private
    chain_hash BYTEA,                -- SHA-256 over the one before and this event
    UNIQUE (subject, revision)
);
CREATE INDEX log_event_unsequenced ON log_event (ord) WHERE seq IS NULL;
-- Personal data and free text of an event; erasable with a reason. Kept as long as the event, unless erased.
CREATE TABLE log_private (
    event_id TEXT NOT NULL PRIMARY KEY,
    salt BYTEA NOT NULL,
    body TEXT,                       -- NULL once erased
    erased_reason TEXT
);
-- The chain's head: one row.
CREATE TABLE log_head (
    one BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    chain_hash BYTEA NOT NULL
);
INSERT INTO log_head (one, seq, chain_hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
-- How far each consumer has read.
CREATE TABLE log_cursor (
    consumer TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    failures BIGINT NOT NULL,        -- in a row; 0 while it runs
    last_error TEXT NOT NULL
);
-- Answers to mutations, for repeated calls. Kept for 30 days.
CREATE TABLE log_request (
    identity TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request_hash BYTEA NOT NULL,     -- SHA-256 of the request
    answer BYTEA NOT NULL,           -- protobuf
    record_time_us BIGINT NOT NULL,
    PRIMARY KEY (identity, method, request_id)
);
CREATE INDEX log_request_age ON log_request (record_time_us);
-- What is due. A row goes in the transaction in which it fires.
CREATE TABLE timer_due (
    timer_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,           -- record that it is about
    generation BIGINT NOT NULL,      -- of the record; void once that has moved on
    due_us BIGINT NOT NULL,          -- the space's time
    payload TEXT NOT NULL,           -- JSON
    failures BIGINT NOT NULL,
    retry_us BIGINT NOT NULL,        -- wall time before which it is not tried again
    last_error TEXT NOT NULL
);
CREATE INDEX timer_due_order ON timer_due (due_us, timer_id);
CREATE INDEX timer_due_subject ON timer_due (subject, kind);
-- The clock setting in force in an exercise; empty in the real space.
CREATE TABLE space_clock (
    one BIGINT NOT NULL PRIMARY KEY,
    setting BIGINT NOT NULL,
    space_time_us BIGINT NOT NULL,
    rate DOUBLE PRECISION NOT NULL,
    wall_time_us BIGINT NOT NULL     -- when it came into force
);
