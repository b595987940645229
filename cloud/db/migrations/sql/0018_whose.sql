-- Whose is it?: releasing quarantined readings, and the wrong-person guard.
--
-- The console writes no reading. What a person says is a row here; the ingest takes it up and lets the stored payload go
-- once more through its own way (cloud/ingest/releases.py), in the transaction that marks the row as settled.

-- What the ingest knows of the time of what it holds back. effective_time: judged and certain, only the patient is not.
-- Where it is not certain: the moments that it may have been (may_be), or between which two of our own visits it was.
ALTER TABLE quarantine
    ADD COLUMN effective_time   timestamptz,
    ADD COLUMN may_be           timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN measured_after   timestamptz,
    ADD COLUMN measured_before  timestamptz,
    ADD COLUMN resolution_why   text,
    ADD CHECK (resolution IN ('released', 'nobodys', 'test', 'control_solution', 'forgotten')),
    ADD CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    -- What is forgotten (0019_enrolling.sql) was looked at by nobody.
    ADD CHECK (resolution IS NOT DISTINCT FROM 'forgotten' OR (resolved_at IS NULL) = (resolved_by IS NULL));
CREATE INDEX quarantine_whose ON quarantine (device_id, received_at)
    WHERE resolved_at IS NULL AND reading_id IS NOT NULL
      AND reason_code IN ('unassigned_device', 'unknown_timeline', 'impossible_time');

-- Others measure with it, too. A device that two patients have at the same time is shared without anybody saying so.
ALTER TABLE device_assignment ADD COLUMN shared boolean NOT NULL DEFAULT false;

-- A reading that looks like somebody else's (alerting/familiarity.py): attributed and dated, and counted nowhere until
-- somebody says whose it is. "yes" and "other" with a patient release it; "no" keeps it, struck apart, for ever.
CREATE TABLE held_reading (
    reading_id        uuid PRIMARY KEY,
    patient_id        uuid NOT NULL REFERENCES patient,      -- whose it would be by the device
    device_id         text NOT NULL REFERENCES device,
    user_index        smallint,
    gateway_id        text NOT NULL,
    effective_time    timestamptz NOT NULL,
    time_quality      text NOT NULL,
    reported_time     text NOT NULL,                         -- what the device said
    received_at       timestamptz NOT NULL,
    unit              text NOT NULL,
    systolic          numeric,
    diastolic         numeric,
    pulse             numeric,
    reason            jsonb NOT NULL,                        -- alerting.reasons.UnfamiliarReason
    payload           bytea NOT NULL,                        -- the reading with its session, whole
    asked_at          timestamptz NOT NULL,
    answer            text CHECK (answer IN ('yes', 'no', 'other')),
    answered_at       timestamptz,
    answered_by       uuid REFERENCES account,
    answered_why      text,
    other_patient_id  uuid REFERENCES patient,
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK ((answer IS NULL) = (answered_by IS NULL)),
    CHECK (other_patient_id IS NULL OR answer = 'other')
);
CREATE INDEX held_reading_of_patient ON held_reading (patient_id, effective_time DESC);
CREATE INDEX held_reading_open ON held_reading (asked_at)
    WHERE answer IS NULL OR answer = 'other' AND other_patient_id IS NULL;

-- What a person said of a reading: whose it is, and (stated_time) when it was measured. It stands beside what the device
-- said, for ever; outcome: what became of it. A reading is released once; what was refused may be said anew.
CREATE TABLE reading_release (
    release_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    reading_id   uuid NOT NULL,
    origin       text NOT NULL CHECK (origin IN ('quarantine', 'held')),
    patient_id   uuid NOT NULL REFERENCES patient,
    stated_time  timestamptz,
    why          text NOT NULL,
    said_by      uuid NOT NULL REFERENCES account,
    said_at      timestamptz NOT NULL,
    settled_at   timestamptz,
    outcome      text CHECK (outcome IN ('stored', 'refused')),
    refusal      text,
    CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CHECK ((refusal IS NULL) = (outcome IS DISTINCT FROM 'refused'))
);
CREATE UNIQUE INDEX reading_release_once ON reading_release (reading_id) WHERE outcome IS DISTINCT FROM 'refused';
CREATE INDEX reading_release_waiting ON reading_release (said_at) WHERE settled_at IS NULL;
CREATE INDEX reading_release_of_patient ON reading_release (patient_id);

-- A patient's own blood pressures, for the rule that tells whose a reading looks like. The ingest reads nothing else of
-- the observations.
CREATE FUNCTION own_pressures(of_patient uuid, since timestamptz, until timestamptz)
    RETURNS TABLE (effective_time timestamptz, systolic numeric, diastolic numeric, unit text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.effective_time, o.systolic, o.diastolic, o.unit FROM blood_pressure_observation o
    WHERE o.patient_id = of_patient AND o.effective_time >= since AND o.effective_time < until
      AND o.sample = 'patient' AND o.state = 'measured'
    ORDER BY o.effective_time DESC LIMIT 5000
$$;

-- Whether anybody at all has ever had this device, or a device that was seen at this gateway: says that, and not who.
CREATE FUNCTION known_to_somebody(of_device text, at_gateway text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM device_assignment a WHERE a.device_id = of_device)
        OR EXISTS (SELECT FROM device_assignment a JOIN device d USING (device_id)
                   WHERE d.complete_gateway_id = at_gateway)
        OR EXISTS (SELECT FROM device_assignment a JOIN gateway_device g USING (device_id)
                   WHERE g.gateway_id = at_gateway)
$$;
-- The ledger stays as it was written, but for these two steps: a reading just entered does not count before somebody says
-- so, and one that was held back counts since somebody did.
CREATE FUNCTION doubt_readings(of_device text[], these uuid[]) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE ledger l SET reason = 'doubted'
    FROM unnest(of_device, these) AS r(device_id, reading_id)
    WHERE l.device_id = r.device_id AND l.reading_id = r.reading_id AND l.fate = 'stored' AND l.reason IS NULL
$$;
CREATE FUNCTION release_reading(of_device text, this uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE ledger SET fate = 'stored', reason = NULL
    WHERE device_id = of_device AND reading_id = this AND (fate = 'quarantined' OR reason = 'doubted')
      AND EXISTS (SELECT FROM reading_release r WHERE r.reading_id = this AND r.settled_at IS NULL);
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION doubt_readings(text[], uuid[]), release_reading(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION doubt_readings(text[], uuid[]), release_reading(text, uuid) TO pulsepost_ingest;

REVOKE ALL ON FUNCTION own_pressures(uuid, timestamptz, timestamptz), known_to_somebody(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_pressures(uuid, timestamptz, timestamptz) TO pulsepost_ingest;
GRANT EXECUTE ON FUNCTION known_to_somebody(text, text) TO pulsepost_console;

GRANT SELECT, INSERT ON held_reading TO pulsepost_ingest;
GRANT SELECT, UPDATE (settled_at, outcome, refusal) ON reading_release TO pulsepost_ingest;
GRANT UPDATE (resolved_at, resolved_by, resolution, resolution_why, reason_code, reason, effective_time, may_be)
    ON quarantine TO pulsepost_ingest;

GRANT SELECT, UPDATE (answer, answered_at, answered_by, answered_why, other_patient_id) ON held_reading
    TO pulsepost_console;
GRANT SELECT, INSERT (reading_id, origin, patient_id, stated_time, why, said_by, said_at) ON reading_release
    TO pulsepost_console;
GRANT UPDATE (resolved_at, resolved_by, resolution, resolution_why) ON quarantine TO pulsepost_console;
GRANT INSERT (device_id, user_index, patient_id, valid), UPDATE (valid, shared) ON device_assignment
    TO pulsepost_console;

SELECT guard_patients(t, '{pulsepost_ingest}') FROM unnest('{held_reading, reading_release}'::regclass[]) t;
-- Knowing the id of a reading is no right to it: what is held is released by whoever sees it, to whom it was said to be.
CREATE POLICY "of what they see" ON reading_release AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (origin <> 'held' OR EXISTS (SELECT FROM held_reading h WHERE h.reading_id = reading_release.reading_id
        AND reading_release.patient_id IN (h.patient_id, h.other_patient_id)));
-- A patient says "it was me" or "it was not" of what is held in their own name, once.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY answered ON held_reading FOR UPDATE TO pulsepost_console'
                   ' USING (answer IS NULL AND %1$s) WITH CHECK (answer IS NOT NULL AND other_patient_id IS NULL AND %1$s)',
                   oneself_sql('held_reading'));
    EXECUTE format('CREATE POLICY said ON reading_release FOR INSERT TO pulsepost_console WITH CHECK'
                   ' (origin = ''held'' AND stated_time IS NULL AND %1$s AND EXISTS (SELECT FROM held_reading h'
                   '  WHERE h.reading_id = reading_release.reading_id AND h.patient_id = reading_release.patient_id))',
                   oneself_sql('reading_release'));
END
$$;
