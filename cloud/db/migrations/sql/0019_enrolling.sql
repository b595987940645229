-- Taking part: from being taken in, by activation, to the end and the closing; consent; the steps on the way.
--
-- Whose readings count is one column, participation.watched_from, read by the ingest with the limits (cloud/plans) and by
-- the jobs. A patient without a row here has been watched for as long as there is anything of them: those who were here
-- before this was kept, and those whom a command puts in (demonstration, benchmark, training). The console makes no
-- patient but with a row, by take_in.

ALTER TABLE patient ADD COLUMN mrn text CHECK (length(btrim(mrn)) BETWEEN 1 AND 64);   -- the clinic's number of the patient
CREATE UNIQUE INDEX patient_mrn ON patient (mrn) WHERE mrn IS NOT NULL;

CREATE TABLE participation (
    participation_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id        uuid NOT NULL REFERENCES patient,
    begun_at          timestamptz NOT NULL,
    begun_by          uuid REFERENCES account,   -- NULL: before this was kept
    activated_at      timestamptz,
    activated_by      uuid REFERENCES account,
    ended_at          timestamptz,
    ended_by          uuid REFERENCES account,   -- the patient's own account, where they did it themselves
    end_reason        text CHECK (end_reason IN ('consent_withdrawn', 'own_wish', 'goal_reached', 'other_care', 'moved',
                                                 'died', 'not_suitable', 'other')),
    end_note          text NOT NULL DEFAULT '',
    seen_at           timestamptz,               -- somebody of the care team knows that nobody watches any longer
    seen_by           uuid REFERENCES account,
    closed_at         timestamptz,               -- nothing is left to do; the care team sees the record no more
    closed_by         uuid REFERENCES account,
    is_newest         boolean NOT NULL DEFAULT true,
    -- What was measured from then on counts; NULL: nobody watches.
    watched_from      timestamptz GENERATED ALWAYS AS (CASE WHEN ended_at IS NULL THEN activated_at END) STORED,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((seen_at IS NULL) = (seen_by IS NULL) AND (seen_at IS NULL OR ended_at IS NOT NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL OR ended_at IS NOT NULL)),
    UNIQUE (participation_id, patient_id),
    CHECK (is_newest OR closed_at IS NOT NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX participation_newest ON participation (patient_id) WHERE is_newest;
CREATE INDEX ON participation (patient_id, begun_at);

-- What a patient decided, each time: never changed. Which text it was is told by its hash as well.
CREATE TABLE consent (
    consent_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    decision_no  bigint GENERATED ALWAYS AS IDENTITY UNIQUE,   -- the newest speaks, whatever clocks say
    patient_id   uuid NOT NULL REFERENCES patient,
    text_id      text NOT NULL,
    version      integer NOT NULL,
    language     text NOT NULL,
    text_sha256  bytea NOT NULL,
    decision     text NOT NULL CHECK (decision IN ('given', 'refused', 'withdrawn')),
    method       text NOT NULL CHECK (method IN ('paper', 'screen')),
    signed_on    date,                           -- of a paper
    note         text NOT NULL DEFAULT '',
    entered_by   uuid NOT NULL REFERENCES account,   -- who took it; on the screen the patient's own account
    entered_at   timestamptz NOT NULL
);
CREATE INDEX ON consent (patient_id, decision_no DESC);

-- The steps on the way, as somebody entered them; the newest of each step and item speaks, and what takes one back is
-- another row.
CREATE TABLE admission_entry (
    entry_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participation_id  uuid NOT NULL,
    patient_id        uuid NOT NULL REFERENCES patient,
    step              text NOT NULL CHECK (step IN ('eligibility', 'decision', 'plan', 'training', 'readings')),
    item              text NOT NULL DEFAULT '',  -- of a checklist
    outcome           text NOT NULL CHECK (outcome IN ('done', 'undone')),
    detail            jsonb NOT NULL DEFAULT '{}',
    note              text NOT NULL DEFAULT '',
    entered_by        uuid NOT NULL REFERENCES account,
    entered_at        timestamptz NOT NULL,
    FOREIGN KEY (participation_id, patient_id) REFERENCES participation (participation_id, patient_id)
);
CREATE INDEX ON admission_entry (participation_id, step, item, entry_id DESC);
CREATE INDEX ON admission_entry (patient_id);

-- Who asked whether somebody is here: thirty an hour (a proposal; whoever takes patients in all day needs fewer, and nobody
-- goes through a register).
CREATE TABLE patient_look_up (
    account_id  uuid NOT NULL REFERENCES account,
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON patient_look_up (account_id, at);

-- Who acts, where it is somebody who takes patients in; else NULL.
CREATE FUNCTION whoever_takes_in() RETURNS uuid LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT a.account_id FROM acting_account a WHERE a.role IN ('nurse', 'lead_nurse', 'doctor', 'coordinator')
$$;

-- Finding somebody who is here already says that there is somebody, to people who take patients in, and nothing of whom:
-- name, birth date or number are what was typed. ``patient_id`` only where they are in the asker's care. Too often: one row,
-- 'too_often', with how long to wait; nothing was looked for.
CREATE FUNCTION fitting_patients(name text, born date, number text)
    RETURNS TABLE (fits text, patient_id uuid, again_after interval)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid := whoever_takes_in();
    thirtieth timestamptz;
BEGIN
    IF person IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('patient_look_up:' || person, 0));
    DELETE FROM patient_look_up l WHERE l.account_id = person AND l.at <= now() - interval '1 hour';
    SELECT l.at INTO thirtieth FROM patient_look_up l WHERE l.account_id = person ORDER BY l.at DESC OFFSET 29 LIMIT 1;
    IF thirtieth IS NOT NULL THEN
        RETURN QUERY SELECT 'too_often', NULL::uuid, thirtieth + interval '1 hour' - now();
        RETURN;
    END IF;
    INSERT INTO patient_look_up (account_id) VALUES (person);
    RETURN QUERY
    SELECT CASE WHEN p.mrn = number THEN 'mrn' ELSE 'name' END,
           CASE WHEN EXISTS (SELECT FROM acting_care c WHERE c.patient_id = p.patient_id) THEN p.patient_id END,
           NULL::interval
    FROM patient p
    WHERE p.mrn = number OR p.birth_date = born AND lower(p.display_name) = lower(name)
    ORDER BY 1, 2 NULLS LAST LIMIT 5;
END
$$;

-- A new patient, whoever takes them in as the first of the care team, and the participation that begins; NULL: not for
-- this role, or the number is somebody's already. Row security would not let anybody make a patient: no new one is in
-- anybody's care.
CREATE FUNCTION take_in(name text, born date, zone text, speaks text, number text, at timestamptz)
    RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid := whoever_takes_in();
    made uuid;
BEGIN
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO patient (display_name, birth_date, time_zone, language, mrn) VALUES (name, born, zone, speaks, number)
        ON CONFLICT (mrn) WHERE mrn IS NOT NULL DO NOTHING RETURNING patient.patient_id INTO made;
    IF made IS NOT NULL THEN
        INSERT INTO care_team (patient_id, account_id) VALUES (made, person);
        INSERT INTO participation (patient_id, begun_at, begun_by) VALUES (made, at, person);
    END IF;
    RETURN made;
END
$$;

-- Somebody whose record is closed has come back: whoever says number, name and birth date takes them in again. NULL: there
-- is nobody like that, or their record is not closed.
CREATE FUNCTION take_in_again(name text, born date, number text, at timestamptz)
    RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid := whoever_takes_in();
    found uuid;
BEGIN
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE participation x SET is_newest = false FROM patient p
        WHERE x.patient_id = p.patient_id AND x.is_newest AND x.closed_at IS NOT NULL
          AND p.mrn = number AND p.birth_date = born AND lower(p.display_name) = lower(name)
        RETURNING p.patient_id INTO found;
    IF found IS NOT NULL THEN
        INSERT INTO care_team (patient_id, account_id) VALUES (found, person);
        INSERT INTO participation (patient_id, begun_at, begun_by) VALUES (found, at, person);
    END IF;
    RETURN found;
END
$$;

-- Nobody watches any longer: the end is written down, what waits to be judged waits no more, and what the devices measure
-- from now on is nobody's. By the care team, or by the patient, who takes the consent back. NULL: not theirs to end, or
-- over already. Locks are taken as everybody takes them: what is due, then timers. Open cases stay for people to close.
CREATE FUNCTION end_participation(of_patient uuid, why text, said text, at timestamptz)
    RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid;
    ended uuid;
BEGIN
    SELECT a.account_id INTO person FROM acting_account a
    WHERE (a.role = 'patient' AND a.patient_id = of_patient AND why = 'consent_withdrawn')
       OR (a.role <> 'patient' AND EXISTS (SELECT FROM acting_care c WHERE c.patient_id = of_patient));
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    -- Those who were here before this was kept.
    INSERT INTO participation (patient_id, begun_at, activated_at)
        SELECT p.patient_id, p.created_at, p.created_at FROM patient p
        WHERE p.patient_id = of_patient AND NOT EXISTS (SELECT FROM participation x WHERE x.patient_id = of_patient)
        ON CONFLICT DO NOTHING;
    UPDATE participation x SET ended_at = at, ended_by = person, end_reason = why, end_note = said
        WHERE x.patient_id = of_patient AND x.is_newest AND x.ended_at IS NULL
        RETURNING x.participation_id INTO ended;
    IF ended IS NOT NULL THEN
        DELETE FROM assessment_due d WHERE d.patient_id = of_patient;
        UPDATE remeasure r SET answer = 'unanswered', answered_at = at
            WHERE r.patient_id = of_patient AND r.answer = 'waiting';
        UPDATE device_assignment g SET valid = tstzrange(lower(g.valid), at)
            WHERE g.patient_id = of_patient AND g.valid @> at;
    END IF;
    RETURN ended;
END
$$;

-- Whoever takes the consent back has given us no right to what their devices go on measuring, nor to what was in quarantine
-- and became nobody's. What was measured and received before, and what it was, goes; the row and its key stay, so that a
-- memory that is read again brings nothing back. Kept is what somebody said whose it is, and what somebody may have measured
-- who had the device then or since and has not withdrawn. How many.
CREATE FUNCTION forget_withdrawn(before timestamptz, at_once integer, at timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH withdrawn AS MATERIALIZED (
        SELECT x.patient_id FROM participation x
        WHERE x.is_newest AND x.end_reason = 'consent_withdrawn' AND x.ended_at < before
    ), held AS MATERIALIZED (
        SELECT g.device_id, g.patient_id IN (SELECT patient_id FROM withdrawn) AS by_withdrawn, g.valid,
               coalesce(lower(g.valid), '-infinity') AS since
        FROM device_assignment g
        WHERE NOT isempty(g.valid) AND g.device_id IN (SELECT d.device_id FROM device_assignment d
                                                       WHERE d.patient_id IN (SELECT patient_id FROM withdrawn))
    ), theirs AS (
        SELECT q.quarantine_id, q.device_id, q.reading_id
        FROM quarantine q CROSS JOIN LATERAL (SELECT coalesce(q.effective_time, q.received_at) AS at) measured
        WHERE q.received_at < before AND octet_length(q.payload) > 0 AND q.resolution IS DISTINCT FROM 'released'
          AND EXISTS (
              SELECT FROM held h
              WHERE h.by_withdrawn AND h.device_id = q.device_id AND h.since <= measured.at
                AND NOT EXISTS (SELECT FROM held o
                                WHERE NOT o.by_withdrawn AND o.device_id = h.device_id AND o.since <= measured.at
                                  AND (o.since > h.since OR o.valid @> measured.at)))
        ORDER BY q.received_at LIMIT at_once FOR UPDATE OF q
    ), raw AS (
        UPDATE ledger l SET raw = ''
        FROM theirs t WHERE l.device_id = t.device_id AND l.reading_id = t.reading_id AND l.fate = 'quarantined'
    ), done AS (
        UPDATE quarantine q SET
            payload = '', reason = '', effective_time = NULL, may_be = '{}', measured_after = NULL,
            measured_before = NULL, resolved_at = coalesce(q.resolved_at, forget_withdrawn.at),
            resolution = coalesce(q.resolution, 'forgotten'),
            payload_sha256 = CASE WHEN q.reading_id IS NULL THEN q.payload_sha256 ELSE '' END
        FROM theirs t WHERE q.quarantine_id = t.quarantine_id RETURNING q.quarantine_id
    )
    SELECT count(*) FROM done
$$;
REVOKE ALL ON FUNCTION forget_withdrawn(timestamptz, integer, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_withdrawn(timestamptz, integer, timestamptz) TO pulsepost_jobs;

GRANT SELECT ON participation, consent, admission_entry TO pulsepost_console;
GRANT SELECT (patient_id, is_newest, watched_from) ON participation TO pulsepost_ingest, pulsepost_jobs;
GRANT SELECT (activated_at, ended_at) ON participation TO pulsepost_jobs;   -- over whose days alert budgets are counted
GRANT INSERT (patient_id, begun_at, begun_by),
    UPDATE (activated_at, activated_by, seen_at, seen_by, closed_at, closed_by, is_newest) ON participation
    TO pulsepost_console;
GRANT INSERT ON consent, admission_entry TO pulsepost_console;
GRANT INSERT (patient_id, account_id, since), UPDATE (until) ON care_team TO pulsepost_console;

REVOKE ALL ON FUNCTION whoever_takes_in(), fitting_patients(text, date, text),
    take_in(text, date, text, text, text, timestamptz),
    take_in_again(text, date, text, timestamptz),
    end_participation(uuid, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fitting_patients(text, date, text), take_in(text, date, text, text, text, timestamptz),
    take_in_again(text, date, text, timestamptz),
    end_participation(uuid, text, text, timestamptz) TO pulsepost_console;

SELECT guard_patients('participation', '{pulsepost_ingest,pulsepost_jobs}');
SELECT guard_patients(t) FROM unnest('{consent,admission_entry}'::regclass[]) t;
-- A patient decides for themselves, and for nobody else.
CREATE POLICY decides ON consent FOR INSERT TO pulsepost_console
    WITH CHECK (method = 'screen' AND entered_by = (SELECT a.account_id FROM acting_account a)
                AND patient_id = (SELECT a.patient_id FROM acting_account a));
