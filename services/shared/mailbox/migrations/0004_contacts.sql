-- What the replicas of a node tell each other of the link to each partner, besides its state: no record, and no event. One row for each
-- partner, written on PostgreSQL alone.
CREATE TABLE mailbox_contact (
    partner TEXT NOT NULL PRIMARY KEY,
    contact_us BIGINT NOT NULL,       -- last contact of any replica, wall time
    difference_ms BIGINT,             -- the partner's wall clock less ours
    why TEXT NOT NULL                 -- last error of the replica that sends; empty if none
);
