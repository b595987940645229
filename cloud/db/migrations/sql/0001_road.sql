-- The road: people, devices, the ledger, observations, alerts and cases.
--
-- Roles. pulsepost_ingest writes what gateways send; pulsepost_console serves people. Neither owns a table, and the
-- console holds no grant on a hypertable: it reads the security-barrier views.

CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;

DO $$
BEGIN
    -- Roles belong to the cluster, not to this database: another database may have made them already.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pulsepost_ingest') THEN
        CREATE ROLE pulsepost_ingest NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pulsepost_console') THEN
        CREATE ROLE pulsepost_console NOLOGIN;
    END IF;
END $$;

-- People ------------------------------------------------------------------------------------------------------------

CREATE TABLE patient (
    patient_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    display_name  text NOT NULL,
    birth_date    date,
    time_zone     text NOT NULL,                 -- IANA name
    language      text NOT NULL DEFAULT 'en',
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account (
    account_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    login          text NOT NULL UNIQUE CHECK (login = lower(login)),
    display_name   text NOT NULL,
    role           text NOT NULL CHECK (role IN ('nurse', 'lead_nurse', 'doctor', 'coordinator', 'support',
                                                 'auditor', 'administrator', 'patient')),
    password_hash  text NOT NULL,                -- Argon2id, PHC string
    patient_id     uuid REFERENCES patient,      -- whose own account this is
    disabled_at    timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'patient') = (patient_id IS NOT NULL))
);

CREATE TABLE login_session (
    token_hash    bytea PRIMARY KEY,             -- SHA-256 of the cookie; the cookie itself is stored nowhere
    account_id    uuid NOT NULL REFERENCES account,
    csrf_token    text NOT NULL,
    created_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX ON login_session (account_id);

CREATE TABLE login_failure (
    login  text NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX ON login_failure (login, at);

CREATE TABLE care_team (
    patient_id  uuid NOT NULL REFERENCES patient,
    account_id  uuid NOT NULL REFERENCES account,
    since       timestamptz NOT NULL DEFAULT now(),
    until       timestamptz,
    PRIMARY KEY (patient_id, account_id, since)
);
CREATE INDEX ON care_team (account_id);

-- Gateways and devices ----------------------------------------------------------------------------------------------

CREATE TABLE gateway (
    gateway_id       text PRIMARY KEY CHECK (gateway_id ~ '^[A-Za-z0-9-]{1,64}$'),
    enrolled_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at       timestamptz,
    state            text NOT NULL DEFAULT 'never_seen' CHECK (state IN ('never_seen', 'online', 'offline')),
    state_at         timestamptz,
    last_seen_at     timestamptz,
    software         text,
    outbox_depth     integer,
    oldest_unsent_s  integer
);

CREATE TABLE device (
    device_id      text PRIMARY KEY,
    manufacturer   text NOT NULL,
    model          text NOT NULL,
    serial_number  text,
    system_id      text,
    address        text,
    firmware       text,
    profile        text,
    first_seen_at  timestamptz NOT NULL DEFAULT now(),
    last_seen_at   timestamptz
);

-- Who used a device, and when. A reading belongs to the assignment valid at the time of measurement.
-- user_index: a cuff's user slot; NULL means whoever uses it.
CREATE TABLE device_assignment (
    assignment_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    device_id      text NOT NULL REFERENCES device,
    user_index     smallint,
    patient_id     uuid NOT NULL REFERENCES patient,
    valid          tstzrange NOT NULL,
    EXCLUDE USING gist (device_id WITH =, (coalesce(user_index, -1)) WITH =, valid WITH &&)
);

-- One visit of a gateway to a device: both clocks at one moment, and how much the device holds.
CREATE TABLE device_session (
    session_id    uuid PRIMARY KEY,
    gateway_id    text NOT NULL REFERENCES gateway,
    device_id     text NOT NULL REFERENCES device,
    profile       text NOT NULL,
    started_at    timestamptz NOT NULL,
    gateway_time  timestamptz,
    device_time   timestamp,                     -- the device's wall clock: naive
    holds         integer,
    received_at   timestamptz NOT NULL
);
CREATE INDEX ON device_session (device_id, started_at DESC);

-- The ledger: which readings we know. It decides newness; the hypertables cannot (their time column is derived). -------

CREATE TABLE ledger (
    reading_id     uuid PRIMARY KEY,
    fate           text NOT NULL CHECK (fate IN ('stored', 'quarantined')),
    reason         text,
    gateway_id     text NOT NULL,
    device_id      text NOT NULL,
    session_id     uuid NOT NULL,
    kind           text NOT NULL,
    reported_time  text NOT NULL,
    raw            bytea NOT NULL,               -- the record as it came over the link
    read_at        timestamptz NOT NULL,         -- its last byte reached the gateway
    received_at    timestamptz NOT NULL,         -- its message reached the ingest
    stored_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What could not be understood or trusted: whole, with its reason, where people see it.
CREATE TABLE quarantine (
    quarantine_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    received_at     timestamptz NOT NULL,
    gateway_id      text NOT NULL,               -- as in the topic; it may be unknown to us
    device_id       text,
    reading_id      uuid,
    session_id      uuid,
    reason_code     text NOT NULL CHECK (reason_code IN ('undecodable', 'unknown_version', 'unknown_gateway',
                        'unassigned_device', 'impossible_value', 'impossible_time', 'unknown_timeline',
                        'content_mismatch', 'refused_by_database')),
    reason          text NOT NULL,
    payload         bytea NOT NULL,
    payload_sha256  bytea NOT NULL,
    seen            integer NOT NULL DEFAULT 1,
    resolved_at     timestamptz,
    resolved_by     uuid REFERENCES account,
    resolution      text
);
CREATE UNIQUE INDEX quarantine_reading ON quarantine (reading_id) WHERE reading_id IS NOT NULL;
CREATE UNIQUE INDEX quarantine_message ON quarantine (gateway_id, payload_sha256) WHERE reading_id IS NULL;
CREATE INDEX quarantine_open ON quarantine (received_at DESC) WHERE resolved_at IS NULL;

-- Observations ------------------------------------------------------------------------------------------------------

CREATE TABLE glucose_observation (
    effective_time  timestamptz NOT NULL,
    reading_id      uuid NOT NULL,
    patient_id      uuid NOT NULL,
    device_id       text NOT NULL,
    user_index      smallint,
    code            integer NOT NULL,            -- MDC
    value           numeric,                     -- NULL unless state is 'measured'
    unit            text NOT NULL,               -- UCUM, the device's own
    state           text NOT NULL,
    bound           numeric,                     -- the range limit behind HI or LO
    sample          text NOT NULL,
    context         jsonb NOT NULL DEFAULT '{}',
    annotations     text[] NOT NULL DEFAULT '{}',
    reported_time   text NOT NULL,
    time_quality    text NOT NULL,
    received_at     timestamptz NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT create_hypertable('glucose_observation', by_range('effective_time', INTERVAL '30 days'),
                         create_default_indexes => false);
CREATE INDEX ON glucose_observation (patient_id, effective_time DESC);

-- Blood ketones: some glucometers measure them, with strips of their own.
CREATE TABLE ketone_observation (
    effective_time  timestamptz NOT NULL,
    reading_id      uuid NOT NULL,
    patient_id      uuid NOT NULL,
    device_id       text NOT NULL,
    user_index      smallint,
    code            integer NOT NULL,            -- MDC
    value           numeric,                     -- NULL unless state is 'measured'
    unit            text NOT NULL,               -- UCUM, the device's own
    state           text NOT NULL,
    bound           numeric,                     -- the range limit behind HI or LO
    sample          text NOT NULL,
    context         jsonb NOT NULL DEFAULT '{}',
    annotations     text[] NOT NULL DEFAULT '{}',
    reported_time   text NOT NULL,
    time_quality    text NOT NULL,
    received_at     timestamptz NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT create_hypertable('ketone_observation', by_range('effective_time', INTERVAL '30 days'),
                         create_default_indexes => false);
CREATE INDEX ON ketone_observation (patient_id, effective_time DESC);

CREATE TABLE blood_pressure_observation (
    effective_time  timestamptz NOT NULL,
    reading_id      uuid NOT NULL,
    patient_id      uuid NOT NULL,
    device_id       text NOT NULL,
    user_index      smallint,
    systolic        numeric,
    diastolic       numeric,
    mean_pressure   numeric,
    unit            text NOT NULL,               -- of the pressures
    pulse           numeric,                     -- /min
    state           text NOT NULL,               -- of the pressures; 'not_a_number' is a failed measurement
    sample          text NOT NULL,
    context         jsonb NOT NULL DEFAULT '{}',
    annotations     text[] NOT NULL DEFAULT '{}',
    reported_time   text NOT NULL,
    time_quality    text NOT NULL,
    received_at     timestamptz NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT create_hypertable('blood_pressure_observation', by_range('effective_time', INTERVAL '30 days'),
                         create_default_indexes => false);
CREATE INDEX ON blood_pressure_observation (patient_id, effective_time DESC);

CREATE VIEW glucose WITH (security_barrier) AS SELECT * FROM glucose_observation;
CREATE VIEW ketone WITH (security_barrier) AS SELECT * FROM ketone_observation;
CREATE VIEW blood_pressure WITH (security_barrier) AS SELECT * FROM blood_pressure_observation;

-- Limits, alerts, cases ---------------------------------------------------------------------------------------------

-- A patient's own limit for a condition; it replaces the default of that condition in that unit.
CREATE TABLE alarm_limit (
    limit_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    condition      text NOT NULL,
    unit           text NOT NULL,
    value          numeric NOT NULL,
    priority       text NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    reason         text NOT NULL,
    set_by         uuid NOT NULL REFERENCES account,
    set_at         timestamptz NOT NULL,
    expires_at     timestamptz,
    superseded_at  timestamptz
);
CREATE UNIQUE INDEX alarm_limit_in_force ON alarm_limit (patient_id, condition, unit) WHERE superseded_at IS NULL;

CREATE TABLE alert_case (
    case_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    condition   text NOT NULL,
    priority    text NOT NULL CHECK (priority IN ('high', 'medium', 'low')),
    state       text NOT NULL CHECK (state IN ('raised', 'acknowledged', 'in_progress', 'escalated', 'resolved',
                                               'expired')),
    owner       uuid REFERENCES account,
    sentence    text NOT NULL,                   -- of the alert that says most: the latest of the highest priority
    reason      jsonb NOT NULL,
    opened_at   timestamptz NOT NULL,
    deadline    timestamptz NOT NULL,            -- acknowledge by
    changed_at  timestamptz NOT NULL
);
-- One open case per patient and condition; a new episode after resolution is a new case.
CREATE UNIQUE INDEX alert_case_open ON alert_case (patient_id, condition) WHERE state NOT IN ('resolved', 'expired');
CREATE INDEX ON alert_case (changed_at DESC);

CREATE TABLE alert (
    alert_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    case_id         uuid NOT NULL REFERENCES alert_case,
    patient_id      uuid NOT NULL REFERENCES patient,
    condition       text NOT NULL,
    priority        text NOT NULL,
    reading_id      uuid NOT NULL,
    effective_time  timestamptz NOT NULL,
    reason          jsonb NOT NULL,
    sentence        text NOT NULL,
    raised_at       timestamptz NOT NULL,
    UNIQUE (reading_id, condition)
);
CREATE INDEX ON alert (case_id, effective_time);

-- Every change of a case: who (NULL is the system), when, from what to what.
CREATE TABLE case_event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     uuid NOT NULL REFERENCES alert_case,
    at          timestamptz NOT NULL,
    actor       uuid REFERENCES account,
    event       text NOT NULL,
    from_state  text,
    to_state    text NOT NULL,
    data        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON case_event (case_id, event_id);

CREATE TABLE audit (
    audit_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    account_id  uuid,
    action      text NOT NULL,
    subject     text NOT NULL,                   -- kind:id, never a name
    patient_id  uuid,
    detail      jsonb NOT NULL DEFAULT '{}'
);

-- Grants: what each process needs and nothing more ---------------------------------------------------------------------

-- The ingest knows no patient's name, lets no gateway in, and changes nothing that it has stored.
GRANT SELECT ON device_assignment, alarm_limit TO pulsepost_ingest;
GRANT SELECT (account_id, display_name) ON account TO pulsepost_ingest;
GRANT SELECT, UPDATE (state, state_at, last_seen_at, software, outbox_depth, oldest_unsent_s) ON gateway
    TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE (system_id, address, firmware, profile, last_seen_at) ON device TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE (seen) ON quarantine TO pulsepost_ingest;
GRANT SELECT, INSERT, UPDATE (state, priority, deadline, sentence, reason, changed_at) ON alert_case
    TO pulsepost_ingest;
GRANT SELECT, INSERT ON device_session, ledger, alert, case_event TO pulsepost_ingest;
GRANT INSERT ON glucose_observation, ketone_observation, blood_pressure_observation TO pulsepost_ingest;

GRANT SELECT ON patient, care_team, gateway, device, device_assignment, device_session, quarantine, glucose,
    ketone, blood_pressure, alarm_limit, alert, alert_case, case_event, account TO pulsepost_console;
GRANT SELECT (reading_id, fate, reason, gateway_id, device_id, session_id, kind, read_at, received_at, stored_at)
    ON ledger TO pulsepost_console;
GRANT INSERT, UPDATE, DELETE ON login_session TO pulsepost_console;
GRANT SELECT ON login_session TO pulsepost_console;
GRANT SELECT, INSERT, DELETE ON login_failure TO pulsepost_console;
GRANT UPDATE (state, owner, changed_at, deadline) ON alert_case TO pulsepost_console;
GRANT INSERT ON case_event, audit TO pulsepost_console;
