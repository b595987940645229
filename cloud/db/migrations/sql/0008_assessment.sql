-- What the rules need to remember between readings: who is to be measured again, and whose sessions are to be looked at.

-- "Measure again": one running timer for each reading beyond a limit that wants confirming (alerting.remeasure).
CREATE TABLE remeasure (
    remeasure_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient,
    condition     text NOT NULL,
    measure       text NOT NULL,
    reading_id    uuid NOT NULL,
    first         jsonb NOT NULL,                -- the reason of the first figure, with the limit that held then
    first_at      timestamptz NOT NULL,
    earliest      timestamptz NOT NULL,
    due           timestamptz NOT NULL,
    answer        text NOT NULL DEFAULT 'waiting' CHECK (answer IN ('waiting', 'confirmed', 'cleared', 'unanswered')),
    answered_at   timestamptz,
    case_id       uuid REFERENCES alert_case,    -- what followed
    UNIQUE (reading_id, condition)
);
CREATE INDEX remeasure_running ON remeasure (patient_id) WHERE answer = 'waiting';
CREATE INDEX remeasure_due ON remeasure (due) WHERE answer = 'waiting';

-- Whom to assess, and when: the ingest asks in the transaction that stores, the jobs process does it and takes the row
-- away. ``since``: the earliest effective time that is new, ``heard_since``: when the first of it reached us. What lies
-- before the one, or was here before the other, has been looked at.
CREATE TABLE assessment_due (
    patient_id  uuid NOT NULL REFERENCES patient,
    what        text NOT NULL CHECK (what IN ('pressure', 'glucose', 'remeasure', 'day')),
    due_at      timestamptz NOT NULL,
    since       timestamptz NOT NULL,
    heard_since timestamptz NOT NULL,
    PRIMARY KEY (patient_id, what)
);
CREATE INDEX ON assessment_due (due_at);
ALTER TABLE assessment_due SET (fillfactor = 60);

GRANT SELECT, INSERT ON remeasure TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE (due_at, since, heard_since) ON assessment_due TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE (answer, answered_at, case_id) ON remeasure TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE (due_at, since, heard_since), DELETE ON assessment_due TO pulsepost_jobs;
GRANT SELECT ON remeasure TO pulsepost_console;
GRANT SELECT ON patient_zone TO pulsepost_jobs;
