-- Time: where a patient's walls were when, and who compared a device's clock with a watch.

-- patient.time_zone is the zone now, and holds wherever no row here does. A patient who never moved has no row.
CREATE TABLE IF NOT EXISTS patient_zone (
    patient_id  uuid NOT NULL REFERENCES patient,
    time_zone   text NOT NULL,                   -- IANA name
    valid       tstzrange NOT NULL CHECK (NOT isempty(valid)),
    EXCLUDE USING gist (patient_id WITH =, valid WITH &&)
);

-- HL7's method EBWW, eyeball and wrist watch (MDC 532234): for devices whose clock cannot be read over the link.
ALTER TABLE device_assignment
    ADD COLUMN IF NOT EXISTS clock_checked_at timestamptz,
    ADD COLUMN IF NOT EXISTS clock_checked_by uuid REFERENCES account;

-- Of a patient the ingest knows where, and not who.
GRANT SELECT (patient_id, time_zone) ON patient TO pulsepost_ingest;
GRANT SELECT ON patient_zone TO pulsepost_ingest, pulsepost_console;
