-- The last quarantine of this node after a restore: one row, a record. Kept for ever; its log tells of those before.
CREATE TABLE operation_quarantine (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{code}/quarantine
    revision BIGINT NOT NULL,
    body TEXT NOT NULL                -- exact JSON
);
