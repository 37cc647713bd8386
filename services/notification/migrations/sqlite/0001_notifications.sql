-- Notifications in both directions: one row, one record. Kept for ever.
CREATE TABLE notification_notification (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{sender}/notifications/{uuid}
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,         -- jurisdiction: of the incident (outgoing), the province (incoming)
    direction TEXT NOT NULL,          -- outgoing or incoming
    partner TEXT NOT NULL,            -- six-digit code of the other province
    incident TEXT NOT NULL,           -- our incident; empty while unknown
    remote_incident TEXT NOT NULL,    -- the partner's incident (incoming), else empty
    uuid TEXT NOT NULL,               -- last part of the name
    wants_acknowledgement BIGINT NOT NULL,
    create_us BIGINT NOT NULL,        -- space time
    body TEXT NOT NULL                -- exact JSON
);
CREATE INDEX notification_notification_newest ON notification_notification (create_us, name);
CREATE INDEX notification_notification_incident ON notification_notification (incident, create_us, name);
CREATE INDEX notification_notification_remote ON notification_notification (partner, remote_incident);
CREATE INDEX notification_notification_uuid ON notification_notification (uuid);
-- Read copy of the incidents, from their events: to draft from. Not a record.
CREATE TABLE notification_incident (
    name TEXT NOT NULL PRIMARY KEY,
    admin_code TEXT NOT NULL,
    revision BIGINT NOT NULL,
    snapshot BLOB NOT NULL            -- fenghuo.incident.v1.Incident
);
-- Last number of the letters of a year (Beijing time of the space). Kept for ever.
CREATE TABLE notification_letter (
    year BIGINT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
