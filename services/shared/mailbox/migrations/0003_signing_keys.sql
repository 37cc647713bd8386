-- The key that signs what is written next to a partner (NULL: the key of the last envelope, or the present one), and the key that signs our
-- receipts for it: a new one only when the partner has given its receipt for the announcement.
ALTER TABLE mailbox_stream ADD COLUMN key_id TEXT;
ALTER TABLE mailbox_stream ADD COLUMN receipt_key_id TEXT;
-- An envelope of an epoch that was given up by decision: written again in a later epoch, and not sent any more. Wall time.
ALTER TABLE mailbox_outbox ADD COLUMN supersede_us BIGINT;
