-- Incidents: one row, one record. Kept for ever.
CREATE TABLE intake_incident (
    name TEXT NOT NULL PRIMARY KEY,   -- provinces/{code}/incidents/{uuid}
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,         -- jurisdiction
    state TEXT NOT NULL,              -- open or closed
    learn_us BIGINT NOT NULL,
    told_us BIGINT NOT NULL,          -- when the last report was learned; for matching, as the next three
    longitude_deg DOUBLE PRECISION NOT NULL, -- 0 if unknown: in the sea, far from every report
    latitude_deg DOUBLE PRECISION NOT NULL,
    water_body TEXT NOT NULL,
    next_due_us BIGINT NOT NULL,      -- earliest due time that presses; the largest number if none
    body TEXT NOT NULL                -- exact JSON
);
CREATE INDEX intake_incident_queue ON intake_incident (state, next_due_us, name);
CREATE INDEX intake_incident_place ON intake_incident (admin_code, state);
CREATE INDEX intake_incident_water ON intake_incident (water_body, state);
CREATE INDEX intake_incident_point ON intake_incident (state, latitude_deg, longitude_deg);
-- The same incident under its name at a partner.
CREATE TABLE intake_remote_incident (
    remote TEXT NOT NULL,             -- provinces/{their code}/incidents/{uuid}
    incident TEXT NOT NULL REFERENCES intake_incident (name),
    PRIMARY KEY (remote, incident)
);
-- Reports that came in. Never changed. They hold personal data of the reporter. Kept for ever.
CREATE TABLE intake_report (
    name TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    admin_code TEXT NOT NULL,
    incident TEXT NOT NULL REFERENCES intake_incident (name),
    learn_us BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX intake_report_incident ON intake_report (incident, learn_us, name);
