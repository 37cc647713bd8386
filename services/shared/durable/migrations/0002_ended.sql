-- An exercise that is over: from then on every replica refuses to write to it.
ALTER TABLE space_clock ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
