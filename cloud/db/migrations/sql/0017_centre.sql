-- Around a case: emergency card, contact persons, medication, treatment changes, calls, scripts.
-- Nothing is overwritten: what was written stays, with who ended it and when.

-- What somebody must know who sends help: one version after the other, the newest is the one without an end. Telephone
-- numbers are E.164.
CREATE TABLE emergency_card (
    card_id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id        uuid NOT NULL REFERENCES patient,
    address           text NOT NULL,
    door_notes        text NOT NULL DEFAULT '',  -- how one gets in: floor, code, who has a key
    emergency_number  text NOT NULL,             -- of the ambulance where the patient lives; 112 is not everywhere
    speaks            text NOT NULL DEFAULT '',  -- the language in which they can be spoken with
    phones            text[] NOT NULL DEFAULT '{}',
    notes             text NOT NULL DEFAULT '',  -- allergies, and what else a stranger must know
    set_by            uuid NOT NULL REFERENCES account,
    set_at            timestamptz NOT NULL,
    superseded_at     timestamptz
);
CREATE UNIQUE INDEX emergency_card_in_force ON emergency_card (patient_id) WHERE superseded_at IS NULL;
CREATE INDEX ON emergency_card (patient_id, set_at DESC);
CREATE INDEX ON emergency_card USING gin (phones) WHERE superseded_at IS NULL;

CREATE TABLE contact_person (
    contact_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id   uuid NOT NULL REFERENCES patient,
    place        smallint NOT NULL,              -- who is called first
    name         text NOT NULL,
    relation     text NOT NULL,
    phones       text[] NOT NULL CHECK (cardinality(phones) > 0),
    may_be_told  boolean NOT NULL,               -- the patient has agreed that they hear about the illness
    added_by     uuid NOT NULL REFERENCES account,
    added_at     timestamptz NOT NULL,
    removed_by   uuid REFERENCES account,
    removed_at   timestamptz,
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE INDEX ON contact_person (patient_id);
CREATE INDEX ON contact_person USING gin (phones) WHERE removed_at IS NULL;

-- As it was told: nothing is checked against anything.
CREATE TABLE medication (
    medication_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    drug           text NOT NULL,
    dose           text NOT NULL,
    since          date,                         -- NULL: nobody knows
    until          date,                         -- the last day
    entered_by     uuid NOT NULL REFERENCES account,
    entered_at     timestamptz NOT NULL,
    ended_by       uuid REFERENCES account,
    ended_at       timestamptz,
    CHECK (until >= since)
);
CREATE INDEX ON medication (patient_id);

CREATE TABLE treatment_change (
    change_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient,
    changed_on    date NOT NULL,                 -- on the patient's calendar
    what          text NOT NULL,
    why           text NOT NULL,
    noted_by      uuid NOT NULL REFERENCES account,
    noted_at      timestamptz NOT NULL,
    withdrawn_by  uuid REFERENCES account,       -- noted in error
    withdrawn_at  timestamptz,
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX ON treatment_change (patient_id, changed_on);

-- What is said of a case is said of its patient: row security asks for one of the two, and both go together.
ALTER TABLE alert_case ADD UNIQUE (case_id, patient_id);
ALTER TABLE alert DROP CONSTRAINT alert_case_id_fkey,
    ADD FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id);
ALTER TABLE contact_person ADD UNIQUE (contact_id, patient_id);

-- A call to a patient or to one of their contact persons; under way until somebody says what came of it.
CREATE TABLE call (
    call_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    case_id     uuid NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    contact_id  uuid,                            -- NULL: the patient
    number      text,                            -- NULL: another number than those of the card
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text CHECK (outcome IN ('reached', 'not_reached', 'voicemail')),
    note        text NOT NULL DEFAULT '',
    FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id),
    FOREIGN KEY (contact_id, patient_id) REFERENCES contact_person (contact_id, patient_id),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX ON call (patient_id, started_at DESC);
CREATE INDEX ON call (case_id);
CREATE UNIQUE INDEX call_under_way ON call (case_id, account_id) WHERE ended_at IS NULL;

-- One walk of a person through a script: which version, and what was answered to what.
CREATE TABLE triage_walk (
    walk_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    case_id     uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    script      text NOT NULL,
    version     integer NOT NULL,
    path        jsonb NOT NULL,                  -- [{"question", "answer", "at"}]
    end_state   text,                            -- NULL: not at its end, or broken off
    account_id  uuid NOT NULL REFERENCES account,
    started_at  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id)
);
CREATE INDEX ON triage_walk (case_id, started_at DESC);

GRANT SELECT ON emergency_card, contact_person, medication, treatment_change, call, triage_walk TO pulsepost_console;
GRANT INSERT ON emergency_card, contact_person, medication, treatment_change, call, triage_walk TO pulsepost_console;
GRANT UPDATE (superseded_at) ON emergency_card TO pulsepost_console;
GRANT UPDATE (removed_by, removed_at) ON contact_person TO pulsepost_console;
GRANT UPDATE (until, ended_by, ended_at) ON medication TO pulsepost_console;
GRANT UPDATE (withdrawn_by, withdrawn_at) ON treatment_change TO pulsepost_console;
GRANT UPDATE (ended_at, outcome, note) ON call TO pulsepost_console;
GRANT UPDATE (path, end_state, changed_at) ON triage_walk TO pulsepost_console;

-- A doctor asks a patient to come, or to be spoken with by appointment: asked for, arranged, and what became of it.
CREATE TABLE visit (
    visit_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    way         text NOT NULL CHECK (way IN ('clinic', 'telephone', 'video', 'home')),
    by_day      date NOT NULL,                   -- on the patient's calendar
    why         text NOT NULL,                   -- as the patient reads it
    asked_by    uuid NOT NULL REFERENCES account,
    asked_at    timestamptz NOT NULL,
    outcome     text CHECK (outcome IN ('took_place', 'did_not_happen', 'called_off')),
    ended_by    uuid REFERENCES account,
    ended_at    timestamptz,
    UNIQUE (visit_id, patient_id),
    CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CHECK ((outcome IS NULL) = (ended_by IS NULL))
);
CREATE INDEX ON visit (patient_id, asked_at DESC);
CREATE INDEX visit_open ON visit (by_day) WHERE outcome IS NULL;

-- When it will be; the newest holds, the former ones stay.
CREATE TABLE visit_time (
    visit_time_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    visit_id       uuid NOT NULL,
    patient_id     uuid NOT NULL REFERENCES patient,
    starts_at      timestamptz NOT NULL,
    set_by         uuid NOT NULL REFERENCES account,
    set_at         timestamptz NOT NULL,
    FOREIGN KEY (visit_id, patient_id) REFERENCES visit (visit_id, patient_id)
);
CREATE INDEX ON visit_time (visit_id, visit_time_id DESC);

GRANT SELECT, INSERT ON visit, visit_time TO pulsepost_console;
GRANT UPDATE (outcome, ended_by, ended_at) ON visit TO pulsepost_console;

-- For whoever cares for the patient; the patient reads their own (0016_access.sql).
SELECT guard_patients(t) FROM unnest('{emergency_card, contact_person, medication, treatment_change, call,
    triage_walk, visit, visit_time}'::regclass[]) t;
