-- A node restored from a backup writes nothing more to a partner until it has fetched back what it had sent.
ALTER TABLE mailbox_stream ADD COLUMN quarantined BIGINT NOT NULL DEFAULT 0;
