-- The fleet: who gateways are (certificates), how they and their devices are, and what is technically wrong.
--
-- Two more roles. pulsepost_jobs judges the fleet at intervals; pulsepost_enrolment signs gateways' certificates. Neither
-- sees a reading or a patient's name.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pulsepost_jobs') THEN
        CREATE ROLE pulsepost_jobs NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pulsepost_enrolment') THEN
        CREATE ROLE pulsepost_enrolment NOLOGIN;
    END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO pulsepost_jobs, pulsepost_enrolment;

-- Identity ------------------------------------------------------------------------------------------------------------

-- Names that mean somebody of ours at the broker (deploy/mosquitto/acl).
ALTER TABLE gateway ADD CONSTRAINT gateway_id_reserved CHECK (lower(gateway_id) NOT IN ('ingest', 'enrolment'));

-- A one-time code that lets a gateway ask for its first certificate, or for a new one after it was lost.
CREATE TABLE enrolment_code (
    code_hash    bytea PRIMARY KEY,              -- SHA-256; the code itself is stored nowhere
    gateway_id   text NOT NULL CHECK (gateway_id ~ '^[A-Za-z0-9-]{1,64}$'
                                      AND lower(gateway_id) NOT IN ('ingest', 'enrolment')),
    created_at   timestamptz NOT NULL,
    created_by   uuid REFERENCES account,        -- NULL: an operator at the command line
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    used_key     bytea,                          -- SHA-256 of the public key that it was used for, and what was signed:
    certificate  text,                           -- a gateway that missed the answer asks again and gets the same
    withdrawn_at timestamptz                     -- a newer code was made for the same gateway
);
CREATE INDEX ON enrolment_code (gateway_id);

-- Attempts with a wrong, used or expired code, for the rate limit.
CREATE TABLE enrolment_failure (
    address  inet NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX ON enrolment_failure (address, at);

CREATE TABLE gateway_certificate (
    serial_number  numeric PRIMARY KEY,          -- as in the certificate
    gateway_id     text NOT NULL REFERENCES gateway,
    issued_at      timestamptz NOT NULL,
    not_before     timestamptz NOT NULL,
    not_after      timestamptz NOT NULL,
    how            text NOT NULL CHECK (how IN ('enrolment', 'renewal')),
    revoked_at     timestamptz,                  -- it counts from then on: after a renewal, that is some days ahead
    revoked_why    text
);
CREATE INDEX ON gateway_certificate (gateway_id, not_after DESC);

-- How gateways are ----------------------------------------------------------------------------------------------------

ALTER TABLE gateway
    ADD COLUMN IF NOT EXISTS started_at          timestamptz,
    ADD COLUMN IF NOT EXISTS clock_synchronised  boolean,
    ADD COLUMN IF NOT EXISTS clock_offset_s      double precision,  -- its clock minus ours, when its word reached us
    ADD COLUMN IF NOT EXISTS disk_free_octets    bigint,
    ADD COLUMN IF NOT EXISTS storage_error       text,
    ADD COLUMN IF NOT EXISTS readings_damaged    integer,           -- in its outbox, by its disk
    ADD COLUMN IF NOT EXISTS certificate_until   timestamptz,
    ADD COLUMN IF NOT EXISTS versions            jsonb NOT NULL DEFAULT '{}';

-- A gateway's roster as its last status told of it.
CREATE TABLE gateway_device (
    gateway_id   text NOT NULL REFERENCES gateway,
    name         text NOT NULL,                  -- in the gateway's configuration
    profile      text NOT NULL,
    transport    text,
    device_id    text,                           -- NULL until it answered once
    visited_at   timestamptz,
    outcome      text,
    reason       text,
    identity     text,                           -- what answered, where no profile or more than one fits it
    complete_at  timestamptz,
    holds        integer,
    heard_at     timestamptz,                    -- its radio, or its plug, was last noticed
    battery_low  boolean,
    repairs      jsonb NOT NULL DEFAULT '{}',
    told_at      timestamptz NOT NULL,
    PRIMARY KEY (gateway_id, name)
);
CREATE INDEX ON gateway_device (device_id);

-- Reconciliation: what the device holds (its sessions) against what the ledger knows of it.
ALTER TABLE device
    ADD COLUMN IF NOT EXISTS readings_known   bigint NOT NULL DEFAULT 0,  -- ledger rows: stored and quarantined
    ADD COLUMN IF NOT EXISTS known_sequences  int8multirange NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS last_measured_at timestamptz,  -- effective time of its newest observation of a patient
    ADD COLUMN IF NOT EXISTS last_held_at     timestamptz,  -- when a reading of it last went into quarantine
    -- Its newest session that went to its end: by which gateway, how much it held then, when we heard of it.
    ADD COLUMN IF NOT EXISTS complete_session_id uuid,
    ADD COLUMN IF NOT EXISTS complete_gateway_id text,
    ADD COLUMN IF NOT EXISTS complete_at         timestamptz,
    ADD COLUMN IF NOT EXISTS complete_told_at    timestamptz,
    ADD COLUMN IF NOT EXISTS holds               integer;
-- Changed with every batch of readings: room for the new version of a row beside the old one.
ALTER TABLE device SET (fillfactor = 70);
ALTER TABLE gateway SET (fillfactor = 70);
ALTER TABLE device_session
    ADD COLUMN IF NOT EXISTS ended_at  timestamptz,
    ADD COLUMN IF NOT EXISTS complete  boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS received  integer;
UPDATE device SET
    readings_known = (SELECT count(*) FROM ledger WHERE ledger.device_id = device.device_id),
    last_measured_at = greatest(
        (SELECT max(effective_time) FROM glucose_observation o WHERE o.device_id = device.device_id AND sample = 'patient'),
        (SELECT max(effective_time) FROM ketone_observation o WHERE o.device_id = device.device_id AND sample = 'patient'),
        (SELECT max(effective_time) FROM blood_pressure_observation o
         WHERE o.device_id = device.device_id AND sample = 'patient'));

-- What each device held when it was last read to its end, against what the ledger knows of it. Where a device numbers its
-- readings, ``holes`` are numbers that its memory must have had then and the ledger has not; others can only be counted.
CREATE VIEW reconciliation AS
    SELECT d.device_id, d.holds, d.readings_known,
           greatest(0, d.holds - d.readings_known, counted.holes)::integer AS missing,
           found.holes, lower(d.known_sequences) AS first_known, upper(d.known_sequences) - 1 AS last_known,
           d.complete_session_id, d.complete_gateway_id, d.complete_at, d.complete_told_at
    FROM device d
    CROSS JOIN LATERAL (
        SELECT CASE WHEN isempty(d.known_sequences) OR d.holds = 0 THEN '{}'::int8multirange
               ELSE int8multirange(int8range(greatest(upper(d.known_sequences) - d.holds, lower(d.known_sequences)),
                                             upper(d.known_sequences))) - d.known_sequences END AS holes) found
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(upper(hole) - lower(hole)), 0) AS holes FROM unnest(found.holes) AS hole) counted
    WHERE d.holds IS NOT NULL;

-- How often a measurement is expected; NULL: nobody said. What is later than that has one of four causes.
ALTER TABLE device_assignment ADD COLUMN IF NOT EXISTS expected_every interval CHECK (expected_every > interval '0');

-- Uses of devices of which a measurement is expected: from when on (a nurse who closed the case of a silence has dealt with
-- what was before), and the times of the last measurement and of the last reading that was put into quarantine. Each user
-- slot of a cuff has its own. Times alone: also for those who must not see values.
CREATE VIEW expected_use AS
    SELECT a.assignment_id, a.patient_id, a.device_id, a.valid, d.manufacturer || ' ' || d.model AS label,
           a.expected_every AS every,
           greatest(coalesce(lower(a.valid), d.first_seen_at), closed.at) AS since,
           CASE WHEN a.user_index IS NULL THEN d.last_measured_at ELSE used.at END AS measured_at,
           d.last_held_at AS held_at
    FROM device_assignment a
    JOIN device d USING (device_id)
    LEFT JOIN LATERAL (
        SELECT b.effective_time AS at FROM blood_pressure_observation b
        WHERE a.user_index IS NOT NULL AND b.patient_id = a.patient_id AND b.device_id = a.device_id
          AND b.user_index = a.user_index AND b.sample = 'patient'
        ORDER BY b.effective_time DESC LIMIT 1) used ON true
    LEFT JOIN LATERAL (
        SELECT max(c.changed_at) AS at FROM alert_case c
        WHERE c.patient_id = a.patient_id AND c.condition = 'missing_measurement'
          AND c.state IN ('resolved', 'expired')) closed ON true
    WHERE a.expected_every IS NOT NULL;

-- Our own processes: that each is there, and what it can reach.
CREATE TABLE component (
    name     text PRIMARY KEY,                   -- such as ingest-1
    kind     text NOT NULL CHECK (kind IN ('ingest', 'console', 'jobs', 'enrolment')),
    seen_at  timestamptz NOT NULL,
    detail   jsonb NOT NULL DEFAULT '{}'         -- ids and states, never a message of an error
);

-- What is technically wrong: found anew at each look at the fleet, one open row per condition and subject.
CREATE TABLE technical_alarm (
    alarm_id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    condition        text NOT NULL,
    subject          text NOT NULL,              -- kind:id, such as gateway:home-17, device:maker:sn:1, component:ingest-1
    gateway_id       text REFERENCES gateway,
    device_name      text,
    device_id        text,
    priority         text NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    sentence         text NOT NULL,
    reason           jsonb NOT NULL,
    inhibited_by     text,                       -- a stronger condition explains this one: kept, not shown as work
    raised_at        timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    acknowledged_at  timestamptz,
    acknowledged_by  uuid REFERENCES account,
    resolved_at      timestamptz                 -- the condition is gone
);
CREATE UNIQUE INDEX technical_alarm_open ON technical_alarm (condition, subject) WHERE resolved_at IS NULL;
CREATE INDEX ON technical_alarm (raised_at DESC);
CREATE INDEX ON technical_alarm (gateway_id, condition, resolved_at DESC);

-- Readings that are held without a row in the ledger: reconciliation counts them.
CREATE INDEX quarantine_unread ON quarantine (device_id) WHERE reading_id IS NULL;
CREATE INDEX quarantine_refused ON quarantine (gateway_id) WHERE reason_code = 'refused_by_database';

-- Grants --------------------------------------------------------------------------------------------------------------

GRANT UPDATE (started_at, clock_synchronised, clock_offset_s, disk_free_octets, storage_error, readings_damaged,
              certificate_until, versions) ON gateway TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway_device TO pulsepost_ingest;
GRANT UPDATE (readings_known, known_sequences, last_measured_at, last_held_at, complete_session_id,
              complete_gateway_id, complete_at, complete_told_at, holds) ON device TO pulsepost_ingest;
GRANT UPDATE (ended_at, complete, received, holds) ON device_session TO pulsepost_ingest;
-- A process that ends in order takes its row away.
GRANT SELECT, INSERT, UPDATE, DELETE ON component
    TO pulsepost_ingest, pulsepost_jobs, pulsepost_console, pulsepost_enrolment;

GRANT SELECT ON gateway, gateway_device, gateway_certificate, device, device_assignment, device_session, reconciliation,
    expected_use TO pulsepost_jobs;
-- Of a patient where, and not who; of the quarantine how much of which device, and not what.
GRANT SELECT (patient_id, time_zone) ON patient TO pulsepost_jobs;
GRANT SELECT (quarantine_id, gateway_id, device_id, reading_id, reason_code) ON quarantine TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE ON technical_alarm TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE (state, priority, deadline, sentence, reason, changed_at) ON alert_case TO pulsepost_jobs;
GRANT SELECT, INSERT ON case_event TO pulsepost_jobs;

GRANT SELECT, INSERT ON gateway TO pulsepost_enrolment;
GRANT UPDATE (enrolled_at, revoked_at) ON gateway TO pulsepost_enrolment;
GRANT SELECT, UPDATE (used_at, used_key, certificate) ON enrolment_code TO pulsepost_enrolment;
GRANT SELECT, INSERT, DELETE ON enrolment_failure TO pulsepost_enrolment;
GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_why) ON gateway_certificate TO pulsepost_enrolment;
GRANT INSERT ON audit TO pulsepost_enrolment;

GRANT SELECT ON gateway_device, gateway_certificate, component, technical_alarm, reconciliation, expected_use
    TO pulsepost_console;
GRANT UPDATE (acknowledged_at, acknowledged_by) ON technical_alarm TO pulsepost_console;
-- A nurse compares a device's clock with a watch, and says so.
GRANT UPDATE (clock_checked_at, clock_checked_by) ON device_assignment TO pulsepost_console;

-- What the console's pages look up.
CREATE INDEX technical_alarm_of_gateway ON technical_alarm (gateway_id) WHERE resolved_at IS NULL;
CREATE INDEX technical_alarm_work ON technical_alarm (gateway_id) WHERE resolved_at IS NULL AND inhibited_by IS NULL;
CREATE INDEX technical_alarm_resolved ON technical_alarm (resolved_at DESC) WHERE resolved_at IS NOT NULL;
CREATE INDEX quarantine_of_gateway ON quarantine (gateway_id) WHERE resolved_at IS NULL;
CREATE INDEX quarantine_of_device ON quarantine (device_id) WHERE reading_id IS NOT NULL;
