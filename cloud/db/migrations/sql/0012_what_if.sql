-- Trying limits on stored readings before anybody saves them, and alert budgets.

-- Who asked what, how far it is, and what came out. Of patients their ids, never a name; nothing here changes a plan.
CREATE TABLE what_if_run (
    run_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    asked_by      uuid NOT NULL REFERENCES account,
    asked_at      timestamptz NOT NULL,
    programme_id  text REFERENCES programme,     -- of those of its patients whom the person may see
    patient_id    uuid REFERENCES patient,       -- or of one of them
    days          integer NOT NULL CHECK (days BETWEEN 1 AND 366),
    proposal      jsonb NOT NULL,
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
    patients      integer CHECK (patients >= 0), -- of how many; NULL until it has begun
    done          integer NOT NULL DEFAULT 0,
    last_patient  uuid,                          -- in the order of ids: the next slice goes on after this one
    result        jsonb NOT NULL DEFAULT '{}',
    error         text,                          -- why it failed, for the person who asked
    ended_at      timestamptz,
    CHECK ((programme_id IS NULL) <> (patient_id IS NULL)),
    CHECK ((state IN ('done', 'cancelled', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX ON what_if_run (asked_by, asked_at DESC);
CREATE INDEX what_if_unfinished ON what_if_run (asked_at) WHERE ended_at IS NULL;
ALTER TABLE what_if_run SET (fillfactor = 60);

-- The next slice, as soon as the jobs process is there.
CREATE FUNCTION try_limits() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wake('try_limits', 'try_limits', '{"timestamp": 0}', now())
$$;
REVOKE ALL ON FUNCTION try_limits() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION try_limits() TO pulsepost_console, pulsepost_jobs;

-- What programmes asked of people, counted every ten minutes: pages show it, and none counts a panel of thousands.
CREATE TABLE alert_budget_spent (
    programme_id  text NOT NULL REFERENCES programme,
    days          integer NOT NULL,
    cases         integer NOT NULL,
    patient_days  numeric NOT NULL,
    counted_at    timestamptz NOT NULL,
    PRIMARY KEY (programme_id, days)
);
CREATE INDEX IF NOT EXISTS alert_case_opened ON alert_case (opened_at);

-- A question, and never its answer.
GRANT SELECT, INSERT (asked_by, asked_at, programme_id, patient_id, days, proposal), UPDATE (state, ended_at)
    ON what_if_run TO pulsepost_console;
GRANT SELECT, UPDATE (state, patients, done, last_patient, result, error, ended_at) ON what_if_run TO pulsepost_jobs;
GRANT SELECT ON alert_budget_spent TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE ON alert_budget_spent TO pulsepost_jobs;
-- Whom the person who asked may see, and where a patient lived when; no name.
GRANT SELECT ON care_team, patient_zone TO pulsepost_jobs;
