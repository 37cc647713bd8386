-- How far each stream is. One row for each partner and direction. Kept for ever.
CREATE TABLE mailbox_stream (
    partner TEXT NOT NULL,            -- six-digit code of the other province
    direction TEXT NOT NULL,          -- out: we send; in: we receive
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,         -- last position written (out) or stored (in)
    digest BLOB NOT NULL,             -- SHA-256 there
    PRIMARY KEY (partner, direction)
);
-- Envelopes that we wrote, with the partner's receipts. Kept for as long as the records that they prove: for ever.
CREATE TABLE mailbox_outbox (
    partner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,               -- for people who look
    envelope BLOB NOT NULL,           -- exactly as signed
    digest BLOB NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    write_us BIGINT NOT NULL,         -- wall time
    receipt BLOB,                     -- exactly as signed by the partner; NULL until delivered
    receipt_key_id TEXT,
    receipt_signature BLOB,
    outcome BIGINT,
    reason TEXT,
    receipt_us BIGINT,                -- when the receipt was stored here, wall time
    PRIMARY KEY (partner, epoch, position)
);
CREATE INDEX mailbox_outbox_waiting ON mailbox_outbox (partner, epoch, position) WHERE receipt_us IS NULL;
-- Envelopes that we stored, with our receipts. Kept for ever: a restored partner fetches its own back from here.
CREATE TABLE mailbox_inbox (
    partner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    envelope BLOB NOT NULL,
    digest BLOB NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    receipt BLOB NOT NULL,
    receipt_key_id TEXT NOT NULL,
    receipt_signature BLOB NOT NULL,
    outcome BIGINT NOT NULL,
    reason TEXT NOT NULL,
    store_us BIGINT NOT NULL,         -- wall time
    PRIMARY KEY (partner, epoch, position)
);
-- Signing keys that partners announced in their streams. Old ones verify their positions for ever.
CREATE TABLE mailbox_key (
    partner TEXT NOT NULL,
    key_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,         -- of the announcement; the key signs what comes after it
    PRIMARY KEY (partner, key_id)
);
-- Heads of the partners' event chains as they told them. Kept for ever: history rewritten later shows.
CREATE TABLE mailbox_chain_head (
    partner TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BLOB NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    store_us BIGINT NOT NULL,
    PRIMARY KEY (partner, epoch, position)
);
-- State of the link to each partner in this space: a record, so that the desk and the audit see each change.
CREATE TABLE mailbox_link (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{us}/partners/{them}/link
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,
    body TEXT NOT NULL                -- exact JSON
);
-- Streams of partners that contradicted themselves: nothing further of that epoch is stored. A new epoch is a new beginning. Kept for ever.
CREATE TABLE mailbox_link_stop (
    partner TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    why TEXT NOT NULL,
    stop_us BIGINT NOT NULL,          -- wall time
    PRIMARY KEY (partner, epoch)
);
