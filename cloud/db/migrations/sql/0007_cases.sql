-- The life of a case: tier, one owner with a lease, a deadline, when somebody must look again; and the timers' seam.

-- People read in the language that they chose; NULL: in the one that their browser asks for.
ALTER TABLE account ADD COLUMN IF NOT EXISTS language text CHECK (language IN ('en', 'ru', 'zh'));

-- A case -----------------------------------------------------------------------------------------------------------------

-- ``round`` counts how often it was raised: opened, worsened, or left by its owner. Whoever was paged in a round is not
-- paged for it again. ``next_at`` is when the escalation looks at it next: whoever changes a case sets it to the time of
-- the change and calls wake_case, and the job decides all that follows. NULL only for closed cases.
ALTER TABLE alert_case
    ADD COLUMN IF NOT EXISTS tier          text CHECK (tier IN ('emergency', 'urgent', 'same_shift', 'routine',
                                                                'retrospective')),
    ADD COLUMN IF NOT EXISTS round         integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS raised_at     timestamptz,      -- when this round began; deadlines count from here
    ADD COLUMN IF NOT EXISTS contact_by    timestamptz,      -- the patient is to be spoken to by then
    ADD COLUMN IF NOT EXISTS contacted_at  timestamptz,
    ADD COLUMN IF NOT EXISTS lease_until   timestamptz,      -- its owner has it until then, and longer by doing something
    ADD COLUMN IF NOT EXISTS step          smallint NOT NULL DEFAULT 0,  -- of the escalation path, in this round
    ADD COLUMN IF NOT EXISTS escalated_to  text CHECK (escalated_to IN ('nurse', 'doctor', 'lead_nurse', 'weekly_review')),
    ADD COLUMN IF NOT EXISTS offered_to    uuid REFERENCES account,      -- handed over, and not yet taken
    ADD COLUMN IF NOT EXISTS next_at       timestamptz,
    -- A person, a reason, an end: paged by nobody until then, unless it worsens.
    ADD COLUMN IF NOT EXISTS silenced_until  timestamptz,
    ADD COLUMN IF NOT EXISTS silenced_by     uuid REFERENCES account,
    ADD COLUMN IF NOT EXISTS silenced_why    text,
    ADD COLUMN IF NOT EXISTS resolved_at     timestamptz,
    ADD COLUMN IF NOT EXISTS disposition     text,
    ADD COLUMN IF NOT EXISTS resolved_why    text,
    ADD COLUMN IF NOT EXISTS closed_automatically text;      -- the class that the programme allows; NULL: by a person
UPDATE alert_case SET
    tier = CASE priority WHEN 'high' THEN 'urgent' WHEN 'medium' THEN 'same_shift' ELSE 'routine' END,
    raised_at = opened_at,
    next_at = CASE WHEN state NOT IN ('resolved', 'expired') THEN now() END,
    resolved_at = CASE WHEN state IN ('resolved', 'expired') THEN changed_at END,
    -- Whoever has one is given an hour to say so; what waits is nobody's.
    owner = CASE WHEN state NOT IN ('raised', 'escalated') THEN owner END,
    lease_until = CASE WHEN state IN ('acknowledged', 'in_progress') THEN now() + interval '1 hour' END;
ALTER TABLE alert_case
    ALTER COLUMN tier SET NOT NULL,
    ALTER COLUMN raised_at SET NOT NULL,
    ADD CHECK ((state IN ('resolved', 'expired')) = (next_at IS NULL)),
    ADD CHECK (isfinite(next_at)),               -- no client of ours can read an infinite one: a sweep would stop at it
    ADD CHECK ((silenced_until IS NULL) = (silenced_by IS NULL)),
    ADD CHECK (state NOT IN ('acknowledged', 'in_progress') OR owner IS NOT NULL);
CREATE INDEX alert_case_next ON alert_case (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_case_of_patient ON alert_case (patient_id, opened_at DESC);
ALTER TABLE alert_case SET (fillfactor = 80);

ALTER TABLE alert ADD COLUMN IF NOT EXISTS tier text;
UPDATE alert SET tier = CASE priority WHEN 'high' THEN 'urgent' WHEN 'medium' THEN 'same_shift' ELSE 'routine' END;
ALTER TABLE alert ALTER COLUMN tier SET NOT NULL, ALTER COLUMN reading_id DROP NOT NULL;
-- Who told of it: a symptom that the patient was asked about. NULL: it was measured, or missed.
ALTER TABLE alert ADD COLUMN IF NOT EXISTS told_by uuid REFERENCES account;
-- A finding on more than one reading (a session, a week) has none of its own: it is known by what it is about. What a
-- person told of may come at any time.
ALTER TABLE alert DROP CONSTRAINT alert_reading_id_condition_key;
CREATE UNIQUE INDEX alert_once ON alert (patient_id, condition, effective_time, coalesce(reading_id, '00000000-0000-0000-0000-000000000000'), tier)
    WHERE told_by IS NULL;
CREATE INDEX alert_of_reading ON alert (reading_id) WHERE reading_id IS NOT NULL;

-- Timers -----------------------------------------------------------------------------------------------------------------

-- The order in which everybody takes locks, and may leave any of them out:
--   the paging lock of a case (whoever acknowledges it; whoever sends takes it shared, and never waits for it)
--   assessment_due by patient and what, remeasure, alert_case by patient and condition, duty_gap
--   notification_attempt, notification, and last the jobs that are woken, by the id of their case.
-- Nobody waits for somebody outside while they hold a row: a page is sent under the paging lock alone.

-- A job of procrastinate at a time, deferred in the transaction of whoever needs it; of one name at most one waits, and
-- it comes at the earliest of the times asked for. The caller needs no grant on procrastinate's tables.
CREATE FUNCTION wake(task text, name text, args jsonb, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    waiting bigint;
BEGIN
    -- The worker reads these times: one that is none to it (infinity, before the year 1) would stop it, at each start.
    IF at IS NULL OR at NOT BETWEEN '2000-01-01' AND '2200-01-01' THEN
        RAISE EXCEPTION 'nothing can be woken at %', at USING ERRCODE = 'datetime_field_overflow';
    END IF;
    UPDATE procrastinate_jobs SET scheduled_at = least(coalesce(scheduled_at, at), at)
        WHERE queueing_lock = name AND status = 'todo' RETURNING id INTO waiting;
    IF FOUND THEN
        -- Workers are told of new jobs only: an earlier time they would see some seconds later.
        IF at <= clock_timestamp() THEN
            PERFORM pg_notify('procrastinate_any_queue_v1',
                              json_build_object('type', 'job_inserted', 'job_id', waiting)::text);
        END IF;
    ELSE
        BEGIN
            -- A look is short, and whom it pages must not wait behind what takes its time.
            PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW('default', task, CASE task WHEN 'look_at_case' THEN 1 ELSE 0 END,
                                                          NULL, name, args, at)::procrastinate_job_to_defer_v1]);
        EXCEPTION WHEN unique_violation THEN
            -- Another transaction was faster: its job has committed by now, and waits.
            UPDATE procrastinate_jobs SET scheduled_at = least(coalesce(scheduled_at, at), at)
                WHERE queueing_lock = name AND status = 'todo';
        END;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION wake(text, text, jsonb, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake(text, text, jsonb, timestamptz) TO pulsepost_jobs;

-- The escalation looks at this case at that time. What a person or the ingest may ask for, and no more: of one case at
-- most one job waits, and of what is no case none does.
CREATE FUNCTION wake_case(case_id uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wake('look_at_case', 'look_at_case:' || c.case_id, jsonb_build_object('case_id', c.case_id), wake_case.at)
    FROM alert_case c WHERE c.case_id = wake_case.case_id
$$;
REVOKE ALL ON FUNCTION wake_case(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake_case(uuid, timestamptz) TO pulsepost_ingest, pulsepost_console, pulsepost_jobs;

-- Grants -----------------------------------------------------------------------------------------------------------------

GRANT UPDATE (tier, round, raised_at, contact_by, step, lease_until, offered_to, escalated_to, next_at, silenced_until,
              silenced_by, silenced_why)
    ON alert_case TO pulsepost_ingest, pulsepost_jobs;
-- Who worsens it or ends a lease takes it from its owner.
GRANT UPDATE (owner, contacted_at) ON alert_case TO pulsepost_ingest, pulsepost_jobs;
GRANT UPDATE (priority, tier, sentence, reason, round, raised_at, contact_by, contacted_at, lease_until, step,
              escalated_to, offered_to, next_at, silenced_until, silenced_by, silenced_why, resolved_at, disposition,
              resolved_why)
    ON alert_case TO pulsepost_console;
-- A symptom that a nurse was told of makes an alert of its own.
GRANT INSERT ON alert TO pulsepost_console;
GRANT SELECT, INSERT ON alert TO pulsepost_jobs;
GRANT UPDATE (language) ON account TO pulsepost_console;
-- The jobs process assesses sessions, days and weeks: it sees values of patients, and never a name.
GRANT SELECT ON glucose, ketone, blood_pressure, alarm_limit TO pulsepost_jobs;
GRANT SELECT (account_id, display_name, role, language, disabled_at) ON account TO pulsepost_jobs;
