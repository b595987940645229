-- Who is told at once, and training.

-- Whose business a patient is: the care team, whoever has broken the glass, the patient. The console's live stream asks
-- while nobody is set, and of those alone who look: fifty open pages would ask one by one, and most of them in vain. It
-- says which of them may see whom, and what is then shown is read with the viewer's own rights. Whoever works for somebody
-- is told nothing: they ask with their own rights.
CREATE INDEX account_of_patient ON account (patient_id) WHERE patient_id IS NOT NULL;
CREATE FUNCTION audience(patients uuid[], looking uuid[]) RETURNS TABLE (patient_id uuid, account_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.patient_id, t.account_id FROM care_team t
    WHERE acting_account_id() IS NULL AND t.patient_id = ANY(patients) AND t.account_id = ANY(looking)
      AND t.since <= now() AND (t.until IS NULL OR t.until > now())
    UNION
    SELECT g.patient_id, g.account_id FROM break_glass g
    WHERE acting_account_id() IS NULL AND g.patient_id = ANY(patients) AND g.account_id = ANY(looking)
      AND g.since <= now() AND g.until > now()
    UNION
    SELECT a.patient_id, a.account_id FROM account a
    WHERE acting_account_id() IS NULL AND a.patient_id = ANY(patients) AND a.account_id = ANY(looking)
$$;
REVOKE ALL ON FUNCTION audience(uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audience(uuid[], uuid[]) TO pulsepost_console;

-- Training --------------------------------------------------------------------------------------------------------------

-- A patient of training is a row of its own from birth to end: marked in its very name, so that whatever shows a name
-- shows the mark; with devices that no real patient may have, in a programme that no real patient may be in, and nobody's
-- account. What counts, counts by programme; what pages, looks at the mark. Each rule is the database's: no defect of ours
-- makes somebody real a training patient, or rings a telephone for one who is none.
ALTER TABLE patient
    ADD COLUMN IF NOT EXISTS training boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT patient_training_named CHECK (training = starts_with(display_name, 'TRAINING '));
INSERT INTO programme (programme_id, display_name, regimes) VALUES ('training', 'TRAINING', '{esc2024,ada}');

CREATE FUNCTION is_training(patient uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT p.training FROM patient p WHERE p.patient_id = patient), false)
$$;

CREATE FUNCTION training_stays() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'patient' THEN
        IF NEW.training <> OLD.training THEN
            RAISE EXCEPTION 'a patient is of training, or is not, for ever' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'device_assignment' THEN
        IF is_training(NEW.patient_id) <> starts_with(NEW.device_id, 'training:') THEN
            RAISE EXCEPTION 'training patients have training devices, and nobody else has'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'patient_programme' THEN
        IF is_training(NEW.patient_id) <> (NEW.programme_id = 'training') THEN
            RAISE EXCEPTION 'training patients are in the training programme, and nobody else is'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'reading_release' THEN
        IF is_training(NEW.patient_id) <> coalesce(
                (SELECT starts_with(h.device_id, 'training:') FROM held_reading h WHERE h.reading_id = NEW.reading_id),
                (SELECT bool_or(starts_with(q.device_id, 'training:')) FROM quarantine q
                 WHERE q.reading_id = NEW.reading_id), false) THEN
            RAISE EXCEPTION 'what a training device measured is a training patient''s, and nothing else is'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'account' THEN
        IF is_training(NEW.patient_id) THEN
            RAISE EXCEPTION 'nobody signs in as a training patient' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'notification_attempt' THEN
        IF NEW.channel <> 'console' AND EXISTS (
                SELECT FROM notification n JOIN alert_case c USING (case_id)
                WHERE n.notification_id = NEW.notification_id AND is_training(c.patient_id)) THEN
            RAISE EXCEPTION 'of a training case nobody is told but at the console' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF TG_TABLE_NAME = 'duty_gap_case' THEN
        IF EXISTS (SELECT FROM alert_case c WHERE c.case_id = NEW.case_id AND is_training(c.patient_id)) THEN
            RAISE EXCEPTION 'a training case opens no gap in the roster' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER training_stays BEFORE UPDATE OF training ON patient FOR EACH ROW EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT OR UPDATE OF patient_id, device_id ON device_assignment
    FOR EACH ROW EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT OR UPDATE OF patient_id, programme_id ON patient_programme
    FOR EACH ROW EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT OR UPDATE OF patient_id ON account
    FOR EACH ROW WHEN (NEW.patient_id IS NOT NULL) EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT ON reading_release FOR EACH ROW EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT ON notification_attempt FOR EACH ROW EXECUTE FUNCTION training_stays();
CREATE TRIGGER training_stays BEFORE INSERT ON duty_gap_case FOR EACH ROW EXECUTE FUNCTION training_stays();
REVOKE ALL ON FUNCTION training_stays(), is_training(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_training(uuid) TO pulsepost_jobs;

-- A course: some training patients for some trainees. What is true of a patient is told when it has ended.
CREATE TABLE training_course (
    course_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE TABLE training_patient (
    patient_id  uuid PRIMARY KEY REFERENCES patient,
    course_id   uuid NOT NULL REFERENCES training_course
);
CREATE INDEX ON training_patient (course_id);
CREATE TABLE training_truth (
    patient_id  uuid PRIMARY KEY REFERENCES training_patient,
    kind        text NOT NULL CHECK (kind IN ('crisis', 'worsening', 'false_alarm', 'ordinary')),
    crisis      text CHECK ((crisis IS NULL) = (kind <> 'crisis')),
    at          timestamptz NOT NULL
);

-- The patients of a course that is over leave their trainees; their cases end. What was planted stays where it is.
CREATE FUNCTION training_ended(course uuid, moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH closed AS (
        UPDATE alert_case c SET state = 'expired', next_at = NULL, lease_until = NULL, offered_to = NULL,
               silenced_until = NULL, silenced_by = NULL, silenced_why = NULL, resolved_at = moment, changed_at = moment
        FROM training_patient t, alert_case was
        WHERE t.course_id = course AND c.patient_id = t.patient_id AND was.case_id = c.case_id
          AND c.state NOT IN ('resolved', 'expired')
        RETURNING c.case_id, was.state)
    INSERT INTO case_event (case_id, at, event, from_state, to_state)
    SELECT case_id, moment, 'training_ended', state, 'expired' FROM closed;
    UPDATE device_assignment a SET valid = tstzrange(lower(valid), moment, '[)')
    FROM training_patient t WHERE t.course_id = course AND a.patient_id = t.patient_id AND upper_inf(a.valid);
    DELETE FROM assessment_due d USING training_patient t WHERE t.course_id = course AND d.patient_id = t.patient_id;
    UPDATE training_course SET ended_at = moment WHERE course_id = course AND ended_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION training_ended(uuid, timestamptz) FROM PUBLIC;

-- Before the course has ended nobody sees the truth, whatever the console asks; then whoever cares for the patient does.
DO $$
BEGIN
    EXECUTE format('CREATE VIEW training_told WITH (security_barrier) AS
        SELECT t.patient_id, t.kind, t.crisis, t.at FROM training_truth t JOIN training_patient p USING (patient_id)
        JOIN training_course c USING (course_id) WHERE c.ended_at IS NOT NULL AND %s', in_care_sql('t'));
END
$$;
GRANT SELECT ON training_course, training_patient, training_told TO pulsepost_console;
GRANT SELECT (training) ON patient TO pulsepost_jobs;
SELECT guard_patients('training_patient');
SELECT guard('training_truth');
