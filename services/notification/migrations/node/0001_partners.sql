-- Partner provinces: one row, one record. Belongs to the node, not to a space. Kept for ever.
CREATE TABLE notification_partner (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{us}/partners/{them}
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,         -- our province
    province_code TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL                -- exact JSON
);
