-- Segments, risk strata and households.

-- Measures ---------------------------------------------------------------------------------------------------------------

-- What takes too long to work out of readings for a list: the newest figures of each patient, kept by the jobs with the rules
-- that the review goes by (cloud.crm.segments.measuring). In whose stratum a patient is stands nowhere: it is worked out.
CREATE TABLE patient_measures (
    patient_id       uuid PRIMARY KEY REFERENCES patient,
    -- Of the last 30 days, by the target of the programme's own regime; 'no_target': the regime has none.
    control          text NOT NULL CHECK (control IN ('controlled', 'not_controlled', 'not_enough', 'no_target')),
    -- The home average of the week up to the last day with readings; NULL: not enough of them, or none in 30 days.
    systolic         numeric,
    diastolic        numeric,
    pressure_unit    text CHECK (pressure_unit IN ('mm[Hg]', 'kPa')),
    pressure_on      date,                       -- the last day of that week
    -- The mean of the last 14 days; NULL: not enough.
    glucose          numeric,
    glucose_unit     text CHECK (glucose_unit IN ('mg/dL', 'mmol/L')),
    -- Of what was due by the patient's own schedule in the last 28 days.
    due              integer NOT NULL,
    made             integer NOT NULL,
    last_reading_at  timestamptz,
    counted_at       timestamptz NOT NULL,
    CHECK ((systolic IS NULL) = (pressure_unit IS NULL) AND (systolic IS NULL) = (diastolic IS NULL)
           AND (systolic IS NULL) = (pressure_on IS NULL)),
    CHECK ((glucose IS NULL) = (glucose_unit IS NULL))
);

-- Tags: short words of the care team's own. Kept when they are taken off.
CREATE TABLE patient_tag (
    tag_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    tag         text NOT NULL CHECK (length(tag) BETWEEN 1 AND 30 AND tag = lower(btrim(tag))),
    added_by    uuid NOT NULL REFERENCES account,
    added_at    timestamptz NOT NULL,
    removed_by  uuid REFERENCES account,
    removed_at  timestamptz,
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE UNIQUE INDEX patient_tag_once ON patient_tag (patient_id, tag) WHERE removed_at IS NULL;
CREATE INDEX ON patient_tag (tag) WHERE removed_at IS NULL;

-- Households ---------------------------------------------------------------------------------------------------------------

-- Who lives with whom: rows of one household_id. There is no row of a household itself, and so nothing that one member's care
-- team could write and another's read: each sees those members whom it cares for, and no others.
CREATE TABLE household_member (
    member_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    household_id  uuid NOT NULL,
    patient_id    uuid NOT NULL REFERENCES patient,
    relation      text NOT NULL DEFAULT '' CHECK (length(relation) <= 60),    -- such as: wife, mother
    added_by      uuid NOT NULL REFERENCES account,
    added_at      timestamptz NOT NULL,
    left_by       uuid REFERENCES account,
    left_at       timestamptz,
    CHECK ((left_by IS NULL) = (left_at IS NULL))
);
CREATE UNIQUE INDEX household_member_once ON household_member (patient_id) WHERE left_at IS NULL;
CREATE INDEX ON household_member (household_id) WHERE left_at IS NULL;

-- Whether nobody else is left in the household of a patient in one's care: then it is none, whoever was there before. The
-- others need not be in the same care, and more than this is not said of them.
CREATE FUNCTION last_of_household(of_patient uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM acting_care c WHERE c.patient_id = of_patient)
       AND NOT EXISTS (SELECT FROM household_member own JOIN household_member other USING (household_id)
                       WHERE own.patient_id = of_patient AND other.patient_id <> of_patient
                         AND own.left_at IS NULL AND other.left_at IS NULL)
$$;
REVOKE ALL ON FUNCTION last_of_household(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION last_of_household(uuid) TO pulsepost_console;

-- What a contact person of the emergency card may be told: what the patient said, when, and who wrote it. Never changed, the
-- newest speaks; before the first of these the card's own may_be_told does.
CREATE TABLE contact_consent (
    consent_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  uuid NOT NULL REFERENCES patient,
    contact_id  uuid NOT NULL,
    topics      text[] NOT NULL CHECK (topics <@ '{reached,appointments,devices,readings,treatment}'),  -- none: nothing
    said_on     date NOT NULL,                   -- on the patient's calendar
    method      text NOT NULL CHECK (method IN ('spoken', 'written')),
    entered_by  uuid NOT NULL REFERENCES account,
    entered_at  timestamptz NOT NULL,
    FOREIGN KEY (contact_id, patient_id) REFERENCES contact_person (contact_id, patient_id)
);
CREATE INDEX ON contact_consent (contact_id, consent_no DESC);
CREATE INDEX ON contact_consent (patient_id);

GRANT SELECT ON patient_measures TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE ON patient_measures TO pulsepost_jobs;
GRANT SELECT, INSERT (patient_id, tag, added_by, added_at), UPDATE (removed_by, removed_at) ON patient_tag
    TO pulsepost_console;
GRANT SELECT, INSERT (household_id, patient_id, relation, added_by, added_at), UPDATE (left_by, left_at) ON household_member
    TO pulsepost_console;
GRANT SELECT, INSERT ON contact_consent TO pulsepost_console;
SELECT guard_patients('patient_measures', '{pulsepost_jobs}');
SELECT guard_patients(t) FROM unnest('{patient_tag, household_member, contact_consent}'::regclass[]) t;

-- Segments -----------------------------------------------------------------------------------------------------------------

-- Lists of conditions that people saved; whom they find is asked anew each time, with the asker's own rights. They name no
-- patient. owner NULL: it comes with Pulsepost.
CREATE TABLE segment (
    segment_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner       uuid REFERENCES account,
    shared      boolean NOT NULL,                -- with everybody of the centre; else the owner's alone
    made_at     timestamptz NOT NULL,
    retired_by  uuid REFERENCES account,
    retired_at  timestamptz,                     -- kept for what was made with it
    CHECK ((retired_by IS NULL) = (retired_at IS NULL)),
    CHECK (owner IS NOT NULL OR shared)
);

-- Never changed: what is to find others is another version. conditions: [{"kind": …, "source": …, "its fields": …}], all of
-- which have to hold (cloud.crm.segments.vocabulary).
CREATE TABLE segment_version (
    segment_id   uuid NOT NULL REFERENCES segment,
    version      integer NOT NULL CHECK (version > 0),
    name         text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 80),
    description  text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    conditions   jsonb NOT NULL CHECK (jsonb_typeof(conditions) = 'array' AND jsonb_array_length(conditions) BETWEEN 1 AND 8),
    written_by   uuid REFERENCES account,        -- NULL: it comes with Pulsepost
    written_at   timestamptz NOT NULL,
    PRIMARY KEY (segment_id, version)
);

-- Which segments, in which order, make the strata: the first that finds a patient says which. The newest set is in force, as a
-- proposal until a doctor who did not write it has signed it.
CREATE TABLE strata_set (
    set_no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_by  uuid REFERENCES account,         -- NULL: it comes with Pulsepost
    written_at  timestamptz NOT NULL,
    signed_by   uuid REFERENCES account,
    signed_at   timestamptz,
    CHECK ((signed_by IS NULL) = (signed_at IS NULL)),
    CHECK (signed_by <> written_by)
);
CREATE TABLE strata_member (
    set_no      bigint NOT NULL REFERENCES strata_set,
    place       smallint NOT NULL CHECK (place BETWEEN 1 AND 20),
    stratum     text NOT NULL CHECK (stratum IN ('high', 'rising', 'stable', 'not_enough')),
    segment_id  uuid NOT NULL,
    version     integer NOT NULL,
    PRIMARY KEY (set_no, place),
    FOREIGN KEY (segment_id, version) REFERENCES segment_version
);

GRANT SELECT, INSERT (owner, shared, made_at), UPDATE (shared, retired_by, retired_at) ON segment TO pulsepost_console;
GRANT SELECT, INSERT ON segment_version TO pulsepost_console;
GRANT SELECT, INSERT (written_by, written_at), UPDATE (signed_by, signed_at) ON strata_set TO pulsepost_console;
GRANT SELECT, INSERT ON strata_member TO pulsepost_console;

-- The proposal. Each limit says what it rests on; nobody has signed it.
DO $$
DECLARE
    made uuid;
    of_set bigint;
    proposed jsonb;
    n integer := 0;
    ours CONSTANT text := 'Pulsepost’s proposal: nobody publishes it';
BEGIN
    INSERT INTO strata_set (written_at) VALUES ('2026-11-22Z') RETURNING set_no INTO of_set;
    FOR proposed IN SELECT * FROM jsonb_array_elements(jsonb_build_array(
        jsonb_build_object('stratum', 'high', 'name', 'Emergency lately', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'cases', 'many', '1', 'tier', 'emergency', 'days', '30', 'source', ours))),
        jsonb_build_object('stratum', 'high', 'name', 'Two urgent cases lately', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'cases', 'many', '2', 'tier', 'urgent', 'days', '30', 'source', ours))),
        jsonb_build_object('stratum', 'high', 'name', 'Home from hospital, not controlled', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'discharge', 'days', '30', 'source',
                               '30 days are what readmission programmes count; used here as a proposal'),
            jsonb_build_object('kind', 'control', 'is', 'not_controlled', 'source',
                               'The control value of the programme’s regime'))),
        jsonb_build_object('stratum', 'high', 'name', 'Mean glucose low', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'glucose', 'high', '70', 'unit', 'mg/dL', 'source',
                               'A bound of the CGM consensus range; for a mean of finger-sticks a proposal'))),
        jsonb_build_object('stratum', 'rising', 'name', 'Urgent case lately', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'cases', 'many', '1', 'tier', 'urgent', 'days', '30', 'source', ours))),
        jsonb_build_object('stratum', 'rising', 'name', 'Home from hospital', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'discharge', 'days', '30', 'source',
                               '30 days are what readmission programmes count; used here as a proposal'))),
        jsonb_build_object('stratum', 'rising', 'name', 'Blood pressure not controlled', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'control', 'is', 'not_controlled', 'source',
                               'The control value of the programme’s regime'))),
        jsonb_build_object('stratum', 'rising', 'name', 'Mean glucose high', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'glucose', 'low', '180', 'unit', 'mg/dL', 'source',
                               'A bound of the CGM consensus range; for a mean of finger-sticks a proposal'))),
        jsonb_build_object('stratum', 'rising', 'name', 'Less than half measured', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'adherence', 'relation', 'below', 'percent', '50', 'source', ours))),
        jsonb_build_object('stratum', 'stable', 'name', 'Blood pressure controlled', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'control', 'is', 'controlled', 'source',
                               'The control value of the programme’s regime'))),
        jsonb_build_object('stratum', 'stable', 'name', 'Mean glucose in range', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'glucose', 'low', '70', 'high', '180', 'unit', 'mg/dL', 'source',
                               'A bound of the CGM consensus range; for a mean of finger-sticks a proposal'))),
        jsonb_build_object('stratum', 'not_enough', 'name', 'Not enough data', 'conditions', jsonb_build_array(
            jsonb_build_object('kind', 'control', 'is', 'not_enough', 'source',
                               'The least number of readings that a home average asks for')))))
    LOOP
        n := n + 1;
        INSERT INTO segment (owner, shared, made_at) VALUES (NULL, true, '2026-11-22Z') RETURNING segment_id INTO made;
        INSERT INTO segment_version (segment_id, version, name, conditions, written_at)
            VALUES (made, 1, proposed ->> 'name', proposed -> 'conditions', '2026-11-22Z');
        INSERT INTO strata_member (set_no, place, stratum, segment_id, version)
            VALUES (of_set, n, proposed ->> 'stratum', made, 1);
    END LOOP;
END
$$;
