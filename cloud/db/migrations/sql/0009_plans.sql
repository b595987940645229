-- What holds for a patient: a programme with its regimes, a doctor's own limits, a schedule with its pauses.

CREATE TABLE programme (
    programme_id         text PRIMARY KEY CHECK (programme_id ~ '^[a-z0-9_]{1,40}$'),
    display_name         text NOT NULL,
    regimes              text[] NOT NULL,        -- names of alerting.regimes, at most one for each measure
    late_after           interval NOT NULL DEFAULT '6 hours' CHECK (late_after > interval '0'),
    heightened_for       interval NOT NULL DEFAULT '14 days',
    -- Classes that may close by themselves, such as 'not_confirmed'; nothing unless somebody allowed it.
    automatic_closing    text[] NOT NULL DEFAULT '{}',
    alert_budget         numeric NOT NULL DEFAULT 0.10 CHECK (alert_budget > 0),  -- manual cases per patient and day
    changed_at           timestamptz NOT NULL DEFAULT now(),
    changed_by           uuid REFERENCES account
);
INSERT INTO programme (programme_id, display_name, regimes) VALUES ('standard', 'Standard', '{esc2024,ada}');

-- A programme's own promises instead of alerting.tiers' defaults; NULL: the default.
CREATE TABLE programme_terms (
    programme_id        text NOT NULL REFERENCES programme,
    tier                text NOT NULL CHECK (tier IN ('emergency', 'urgent', 'same_shift', 'routine', 'retrospective')),
    acknowledge_within  interval CHECK (acknowledge_within > interval '0'),
    contact_within      interval CHECK (contact_within > interval '0'),
    escalate_after      interval CHECK (escalate_after > interval '0'),
    lease               interval CHECK (lease > interval '0'),
    PRIMARY KEY (programme_id, tier)
);

-- Which programme a patient is in; where no row holds, 'standard' does.
CREATE TABLE patient_programme (
    patient_id        uuid NOT NULL REFERENCES patient,
    programme_id      text NOT NULL REFERENCES programme,
    valid             tstzrange NOT NULL CHECK (NOT isempty(valid)),
    heightened_until  timestamptz,
    set_by            uuid REFERENCES account,
    reason            text NOT NULL DEFAULT '',
    EXCLUDE USING gist (patient_id WITH =, valid WITH &&)
);

-- A doctor's own limits have versions: the newest speaks, and none comes back when it has expired.
ALTER TABLE alarm_limit ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1;
UPDATE alarm_limit l SET version = counted.n
FROM (SELECT limit_id, row_number() OVER (PARTITION BY patient_id, condition, unit ORDER BY set_at, limit_id) AS n
      FROM alarm_limit) counted
WHERE counted.limit_id = l.limit_id;
CREATE UNIQUE INDEX alarm_limit_version ON alarm_limit (patient_id, condition, unit, version);

-- When the patient measures, in the patient's own zone (alerting.adherence.Slot).
CREATE TABLE measurement_slot (
    slot_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    kind        text NOT NULL CHECK (kind IN ('glucose', 'blood_pressure', 'ketone')),
    at          time NOT NULL,
    weekdays    smallint[] NOT NULL DEFAULT '{0,1,2,3,4,5,6}',   -- Monday is 0
    before      interval NOT NULL DEFAULT '3 hours',
    after       interval NOT NULL DEFAULT '2 hours',
    valid       tstzrange NOT NULL CHECK (NOT isempty(valid)),
    set_by      uuid REFERENCES account
);
CREATE INDEX ON measurement_slot (patient_id);

-- Nothing is due meanwhile: in hospital, on holiday.
CREATE TABLE measurement_pause (
    pause_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    valid       tstzrange NOT NULL CHECK (NOT isempty(valid)),
    reason      text NOT NULL,
    set_by      uuid REFERENCES account
);
CREATE INDEX ON measurement_pause (patient_id);

-- How far the silence of a patient has come, by kind: one row for each step of each silence. Whoever reminds patients
-- looks here; a silence is over where the patient measured after ``missed_since``.
CREATE TABLE measurement_silence (
    patient_id    uuid NOT NULL REFERENCES patient,
    kind          text NOT NULL,
    missed_since  timestamptz NOT NULL,
    step          text NOT NULL CHECK (step IN ('remind_patient', 'check_technically', 'call_patient')),
    reached_at    timestamptz NOT NULL,
    heightened    boolean NOT NULL,
    PRIMARY KEY (patient_id, kind, missed_since, step)
);
CREATE INDEX ON measurement_silence (reached_at);

-- The schedule takes the place of "so often": whoever was expected each day is expected each day, at any hour.
INSERT INTO measurement_slot (patient_id, kind, at, weekdays, before, after, valid)
SELECT DISTINCT a.patient_id, l.kind, time '12:00',
       CASE WHEN a.expected_every < interval '2 days' THEN '{0,1,2,3,4,5,6}'::smallint[]
            WHEN a.expected_every < interval '7 days' THEN '{0,3}'::smallint[] ELSE '{0}'::smallint[] END,
       interval '12 hours', interval '12 hours', tstzrange(now(), NULL)
FROM device_assignment a
CROSS JOIN LATERAL (SELECT DISTINCT kind FROM ledger WHERE device_id = a.device_id) l
WHERE a.expected_every IS NOT NULL AND upper_inf(a.valid);
DROP VIEW expected_use;
ALTER TABLE device_assignment DROP COLUMN expected_every;

GRANT SELECT, INSERT ON measurement_silence TO pulsepost_jobs;
GRANT SELECT ON measurement_silence TO pulsepost_console;
-- What a device measures is told by what it has measured.
GRANT SELECT (device_id, kind) ON ledger TO pulsepost_jobs;
GRANT SELECT ON programme, programme_terms, patient_programme, measurement_slot, measurement_pause
    TO pulsepost_ingest, pulsepost_console, pulsepost_jobs;
GRANT INSERT ON programme, programme_terms, patient_programme, measurement_slot, measurement_pause TO pulsepost_console;
-- Whose it is, and who set it when, stays as it was.
GRANT UPDATE (display_name, regimes, late_after, heightened_for, automatic_closing, alert_budget, changed_at, changed_by)
    ON programme TO pulsepost_console;
GRANT UPDATE (programme_id, valid, heightened_until, set_by, reason) ON patient_programme TO pulsepost_console;
GRANT UPDATE (valid) ON measurement_slot, measurement_pause TO pulsepost_console;
GRANT DELETE ON programme_terms TO pulsepost_console;
-- What is taken back before it began leaves no trace but the audit's.
GRANT DELETE ON measurement_slot, measurement_pause TO pulsepost_console;
GRANT INSERT, UPDATE (superseded_at) ON alarm_limit TO pulsepost_console;
