-- What an incident is about, for matching: a report of a known pollutant is looked for by it. A row for each CAS number and each name of an
-- open incident's substances; none once it is closed.
CREATE TABLE intake_matter (
    incident TEXT NOT NULL REFERENCES intake_incident (name),
    matter TEXT NOT NULL,             -- cas:{number} or name:{name}
    PRIMARY KEY (incident, matter)
);
CREATE INDEX intake_matter_of ON intake_matter (matter);
-- 1: its substances are known and stand in intake_matter. 0: its place alone finds it.
ALTER TABLE intake_incident ADD COLUMN by_matter BIGINT NOT NULL DEFAULT 0;
DROP INDEX intake_incident_place;
DROP INDEX intake_incident_water;
DROP INDEX intake_incident_point;
CREATE INDEX intake_incident_place ON intake_incident (admin_code, state, by_matter);
CREATE INDEX intake_incident_water ON intake_incident (water_body, state, by_matter);
CREATE INDEX intake_incident_point ON intake_incident (state, by_matter, latitude_deg, longitude_deg);
