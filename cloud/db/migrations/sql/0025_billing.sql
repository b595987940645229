-- Billing evidence and figures: minutes, closed months, and what is counted of all patients without saying of whom.

-- Minutes ----------------------------------------------------------------------------------------------------------------

ALTER TABLE call ADD UNIQUE (call_id, patient_id);

-- Who spent which minutes for which patient on what. Nothing is changed: what was wrong is withdrawn, with a reason, and
-- written anew. Nobody is in two places: of one person no two entries that count cover the same moment.
CREATE TABLE care_minutes (
    entry_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    account_id     uuid NOT NULL REFERENCES account,
    during         tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND NOT lower_inf(during)
                                             AND NOT upper_inf(during) AND upper(during) <= lower(during) + interval '8 hours'),
    -- What an index finds for whom row security lets look: it asks nothing of a range before it knows whose it is.
    starts_at      timestamptz NOT NULL GENERATED ALWAYS AS (lower(during)) STORED,
    activity       text NOT NULL CHECK (activity IN ('call', 'video', 'message', 'review')),
    interactive    boolean NOT NULL,             -- spoken with the patient, or with whoever may be told, in real time
    origin         text NOT NULL CHECK (origin IN ('call', 'case', 'hand')),
    call_id        uuid,
    case_id        uuid,
    note           text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    written_by     uuid NOT NULL REFERENCES account,
    written_at     timestamptz NOT NULL,
    withdrawn_by   uuid REFERENCES account,
    withdrawn_at   timestamptz,
    withdrawn_why  text,
    FOREIGN KEY (call_id, patient_id) REFERENCES call (call_id, patient_id),
    FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id),
    CONSTRAINT care_minutes_once EXCLUDE USING gist (account_id WITH =, during WITH &&) WHERE (withdrawn_at IS NULL),
    CHECK (NOT interactive OR activity IN ('call', 'video')),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_why IS NULL))
);
CREATE INDEX ON care_minutes (patient_id, starts_at);
CREATE INDEX ON care_minutes (call_id) WHERE call_id IS NOT NULL;

-- Since when a patient has had a device is asked for each of thousands.
CREATE INDEX device_assignment_of_patient ON device_assignment (patient_id);

-- A month that somebody closed: the evidence as it stood, with the version of the rules, for ever.
CREATE TABLE billing_month (
    patient_id  uuid NOT NULL REFERENCES patient,
    month       date NOT NULL CHECK (extract(day FROM month) = 1),
    during      tstzrange NOT NULL CHECK (NOT isempty(during)),    -- the month on the patient's clock
    rulebook    text NOT NULL,
    evidence    jsonb NOT NULL,                  -- cloud.crm.billing.models.Evidence
    closed_by   uuid NOT NULL REFERENCES account,
    closed_at   timestamptz NOT NULL,
    PRIMARY KEY (patient_id, month)
);

-- One at a time writes minutes of a person, and minutes of a patient or the closing of their month; in this order.
CREATE FUNCTION lock_minutes(of_account uuid, of_patient uuid) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('minutes:' || of_account, 0)) WHERE of_account IS NOT NULL;
    SELECT pg_advisory_xact_lock(hashtextextended('billing:' || of_patient, 0));
$$;

-- A closed month stays as it is.
CREATE FUNCTION minutes_stay() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM lock_minutes(NEW.account_id, NEW.patient_id);
    IF EXISTS (SELECT FROM billing_month m WHERE m.patient_id = NEW.patient_id AND m.during && NEW.during) THEN
        RAISE EXCEPTION 'this month is closed: its minutes stay as they are'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'care_minutes_of_open_month';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER minutes_stay BEFORE INSERT OR UPDATE ON care_minutes FOR EACH ROW EXECUTE FUNCTION minutes_stay();

-- What is written by the work itself. It never stands in that work's way: where a lock is taken, a moment is taken, or the
-- month is closed, it books what is left, or nothing. Training patients cost nobody's minutes.
CREATE FUNCTION book_minutes(of_patient uuid, of_account uuid, begins timestamptz, ends timestamptz, what text,
                             live boolean, of_call uuid, of_case uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    taken tstzmultirange;
BEGIN
    IF begins >= ends OR is_training(of_patient)
       OR NOT EXISTS (SELECT FROM account a WHERE a.account_id = of_account AND a.role IN ('nurse', 'lead_nurse', 'doctor'))
       OR NOT pg_try_advisory_xact_lock(hashtextextended('minutes:' || of_account, 0))
       OR NOT pg_try_advisory_xact_lock(hashtextextended('billing:' || of_patient, 0)) THEN
        RETURN;
    END IF;
    SELECT coalesce(range_agg(x.during), '{}') INTO taken FROM (
        SELECT m.during FROM care_minutes m
        WHERE m.account_id = of_account AND m.withdrawn_at IS NULL AND m.during && tstzrange(begins, ends)
        UNION ALL
        SELECT b.during FROM billing_month b WHERE b.patient_id = of_patient AND b.during && tstzrange(begins, ends)) x;
    INSERT INTO care_minutes (patient_id, account_id, during, activity, interactive, origin, call_id, case_id, written_by,
                              written_at)
    SELECT of_patient, of_account, piece, what, live, CASE WHEN of_call IS NULL THEN 'case' ELSE 'call' END, of_call,
           of_case, of_account, ends
    FROM unnest(tstzmultirange(tstzrange(begins, ends)) - taken) AS piece;
END
$$;

-- A call in which somebody was reached. A longer one was forgotten, more likely than spoken: its person writes it down
-- (60 minutes: a proposal). A contact person counts as spoken with where the patient lets them be told.
CREATE FUNCTION book_call() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.outcome = 'reached' AND NEW.ended_at <= NEW.started_at + interval '60 minutes' THEN
        PERFORM book_minutes(NEW.patient_id, NEW.account_id, NEW.started_at, NEW.ended_at, 'call',
            NEW.contact_id IS NULL OR EXISTS (SELECT FROM contact_person p
                                              WHERE p.contact_id = NEW.contact_id AND p.may_be_told),
            NEW.call_id, NEW.case_id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER book_call AFTER UPDATE OF ended_at ON call FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION book_call();

-- Two acts of one person in one case with at most five minutes between them: they were at it meanwhile. Whoever let more
-- time pass may have done anything, and writes it down (5 minutes: a proposal, as audit logs of records are read).
CREATE FUNCTION book_act() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz;
BEGIN
    SELECT max(e.at) INTO before FROM case_event e
    WHERE e.case_id = NEW.case_id AND e.actor = NEW.actor AND e.event_id < NEW.event_id
      AND e.at >= NEW.at - interval '5 minutes' AND e.at < NEW.at;
    IF before IS NOT NULL THEN
        PERFORM book_minutes((SELECT c.patient_id FROM alert_case c WHERE c.case_id = NEW.case_id), NEW.actor, before,
                             NEW.at, 'review', false, NULL, NEW.case_id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER book_act AFTER INSERT ON case_event FOR EACH ROW
    WHEN (NEW.actor IS NOT NULL) EXECUTE FUNCTION book_act();

-- A zone that this server knows: one patient's must not take everybody's page away.
CREATE FUNCTION known_zone(name text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE name;
    RETURN name;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END
$$;

REVOKE ALL ON FUNCTION lock_minutes(uuid, uuid), minutes_stay(), book_call(), book_act(),
    book_minutes(uuid, uuid, timestamptz, timestamptz, text, boolean, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_minutes(uuid, uuid) TO pulsepost_console;

GRANT SELECT, INSERT (entry_id, patient_id, account_id, during, activity, interactive, origin, note, written_by,
                      written_at), UPDATE (withdrawn_by, withdrawn_at, withdrawn_why) ON care_minutes TO pulsepost_console;
GRANT SELECT, INSERT ON billing_month TO pulsepost_console;
SELECT guard_patients(t) FROM unnest('{care_minutes, billing_month}'::regclass[]) t;
-- Everybody writes their own minutes, by hand; what the work wrote itself comes by the functions above.
CREATE POLICY "as oneself" ON care_minutes AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (origin = 'hand' AND written_by = account_id
                AND account_id = (SELECT a.account_id FROM acting_account a
                                  WHERE a.role IN ('nurse', 'lead_nurse', 'doctor')));
-- One's own is withdrawn by oneself, anybody's by a lead nurse.
CREATE POLICY "withdrawn by its own" ON care_minutes AS RESTRICTIVE FOR UPDATE TO pulsepost_console
    USING (account_id = (SELECT a.account_id FROM acting_account a)
           OR (SELECT a.role FROM acting_account a) = 'lead_nurse')
    WITH CHECK (withdrawn_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY "closed as oneself" ON billing_month AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (closed_by = (SELECT a.account_id FROM acting_account a WHERE a.role IN ('lead_nurse', 'coordinator')));

-- Figures ------------------------------------------------------------------------------------------------------------------

-- Of all patients, and of nobody: lead nurses and administrators see how the centre does, also of whom they do not care for.
-- Each function gives counts and times of work, and no row says whose it was. Training patients are left out.
CREATE FUNCTION may_see_figures() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM acting_account a WHERE a.role IN ('lead_nurse', 'administrator'))
$$;

-- Each time that people were to be told of a case, opened or worsened, in the span: how grave it was then, when somebody took
-- it, when somebody spoke with the patient, and when it was closed.
CREATE FUNCTION figures_of_waits(since timestamptz, until timestamptz)
    RETURNS TABLE (programme_id text, tier text, started_at timestamptz, acknowledged_at timestamptz,
                   contacted_at timestamptz, closed_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Planned for the span that is asked for: of a year, a plan for any span takes thrice as long.
    RETURN QUERY EXECUTE $query$
    WITH starts AS MATERIALIZED (
        SELECT c.case_id, c.opened_at AS at FROM alert_case c WHERE c.opened_at >= $1 AND c.opened_at < $2
        UNION
        SELECT e.case_id, e.at FROM case_event e WHERE e.event = 'worsen' AND e.at >= $1 AND e.at < $2)
    -- Grouped over all of them at once: a look at each of a month's cases would take seconds.
    SELECT coalesce(m.programme_id, 'standard'), coalesce(told.tier, c.tier), s.at, done.taken, done.spoken, c.resolved_at
    FROM starts s
    JOIN alert_case c USING (case_id)
    JOIN patient p ON p.patient_id = c.patient_id AND NOT p.training
    LEFT JOIN patient_programme m ON m.patient_id = c.patient_id AND m.valid @> s.at
    LEFT JOIN (
        SELECT x.case_id, x.at, ('{emergency,urgent,same_shift,routine,retrospective}'::text[])[
                   min(array_position('{emergency,urgent,same_shift,routine,retrospective}'::text[], a.tier))] AS tier
        FROM starts x JOIN alert a ON a.case_id = x.case_id AND a.raised_at <= x.at
        GROUP BY 1, 2) told ON told.case_id = s.case_id AND told.at = s.at
    LEFT JOIN (
        SELECT x.case_id, x.at, min(e.at) FILTER (WHERE e.event = 'acknowledge') AS taken,
               min(e.at) FILTER (WHERE e.event IN ('contact', 'ask') OR e.event = 'worsen' AND e.actor IS NOT NULL) AS spoken
        FROM starts x JOIN case_event e ON e.case_id = x.case_id AND e.at >= x.at
        GROUP BY 1, 2) done ON done.case_id = s.case_id AND done.at = s.at
    WHERE may_see_figures()
    $query$ USING since, until;
END
$$;
CREATE INDEX case_event_worsened ON case_event (at) WHERE event = 'worsen';
CREATE INDEX case_event_of_people ON case_event (at) WHERE actor IS NOT NULL;

-- What people did, in quarters of an hour: no shift begins within one.
CREATE FUNCTION figures_of_work(since timestamptz, until timestamptz)
    RETURNS TABLE (account_id uuid, quarter timestamptz, acts bigint, taken bigint, closed bigint, calls bigint,
                   messages bigint, seconds bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE $query$
    SELECT w.account_id, date_bin('15 minutes', w.at, '2000-01-01+00'), sum(w.acts)::bigint, sum(w.taken)::bigint,
           sum(w.closed)::bigint, sum(w.calls)::bigint, sum(w.messages)::bigint, sum(w.seconds)::bigint
    FROM (
        SELECT e.actor AS account_id, c.patient_id, e.at, 1 AS acts, (e.event = 'acknowledge')::int AS taken,
               (e.event = 'resolve')::int AS closed, 0 AS calls, 0 AS messages, 0::numeric AS seconds
        FROM case_event e JOIN alert_case c USING (case_id)
        WHERE e.actor IS NOT NULL AND e.at >= $1 AND e.at < $2
        UNION ALL
        SELECT k.account_id, k.patient_id, k.started_at, 0, 0, 0, 1, 0, 0 FROM call k
        WHERE k.started_at >= $1 AND k.started_at < $2
        UNION ALL
        SELECT x.written_by, x.patient_id, x.written_at, 0, 0, 0, 0, 1, 0 FROM patient_message x
        WHERE NOT x.from_patient AND x.written_at >= $1 AND x.written_at < $2
        UNION ALL
        SELECT m.account_id, m.patient_id, lower(m.during), 0, 0, 0, 0, 0,
               extract(epoch FROM upper(m.during) - lower(m.during)) FROM care_minutes m
        WHERE m.withdrawn_at IS NULL AND lower(m.during) >= $1 AND lower(m.during) < $2) w
    JOIN patient p ON p.patient_id = w.patient_id AND NOT p.training
    WHERE may_see_figures()
    GROUP BY 1, 2
    $query$ USING since, until;
END
$$;

-- Appointments of the span that have ended, by how they were to be.
CREATE FUNCTION figures_of_appointments(since timestamptz, until timestamptz)
    RETURNS TABLE (way text, took_place bigint, no_show bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.way, count(*) FILTER (WHERE a.state = 'took_place'), count(*) FILTER (WHERE a.state = 'no_show')
    FROM appointment a JOIN patient p ON p.patient_id = a.patient_id AND NOT p.training
    WHERE may_see_figures() AND a.starts_at >= since AND a.starts_at < until AND a.state IN ('took_place', 'no_show')
    GROUP BY 1
$$;

-- How many patients of a closed month have which code supported, and how often.
CREATE FUNCTION billing_counts(of_month date) RETURNS TABLE (code text, patients bigint, units bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.line ->> 'code', count(DISTINCT b.patient_id), sum((l.line ->> 'units')::int)
    FROM billing_month b CROSS JOIN LATERAL jsonb_array_elements(b.evidence -> 'lines') AS l(line)
    WHERE b.month = of_month AND l.line ->> 'state' = 'supported'
      AND EXISTS (SELECT FROM acting_account a WHERE a.role IN ('lead_nurse', 'administrator', 'coordinator'))
    GROUP BY 1
$$;

REVOKE ALL ON FUNCTION may_see_figures(), figures_of_waits(timestamptz, timestamptz),
    figures_of_work(timestamptz, timestamptz), figures_of_appointments(timestamptz, timestamptz), billing_counts(date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_see_figures(), figures_of_waits(timestamptz, timestamptz),
    figures_of_work(timestamptz, timestamptz), figures_of_appointments(timestamptz, timestamptz), billing_counts(date)
    TO pulsepost_console;

-- What takes too long to count for a page: each programme in each month, of the site's calendar. The jobs count the month
-- that runs each night, and until what was due in it is settled; nobody's value or name is in it.
CREATE TABLE figures_month (
    month             date NOT NULL CHECK (extract(day FROM month) = 1),
    programme_id      text NOT NULL REFERENCES programme,
    patients          integer NOT NULL,          -- in the programme at the end of it, and watched
    measured          integer NOT NULL,          -- of these, who measured at all
    averaged          integer NOT NULL,          -- with a home average of blood pressure that is enough to judge
    controlled        integer NOT NULL,          -- of these, below the target of the programme's own regime
    scheduled         integer NOT NULL,          -- of whom measurements were due
    due               integer NOT NULL,          -- how many were
    made              integer NOT NULL,
    readings          integer NOT NULL,
    cases             integer NOT NULL,          -- opened, and not closed automatically
    counted_at        timestamptz NOT NULL,
    PRIMARY KEY (month, programme_id)
);
GRANT SELECT ON figures_month TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE ON figures_month TO pulsepost_jobs;
