-- What leaves for outside CRMs, and what comes back.
--
-- What is to be told is written in the transaction in which it happens, by triggers on the tables that say so: no path can
-- forget it. They only insert, take no lock that anybody waits for, and do nothing at all where there is no destination.
-- From then on it is the dispatcher's (cloud/crm/outbox), and nothing clinical reads any of these tables.

-- Who called whom: until now, staff called.
ALTER TABLE call ADD COLUMN direction text NOT NULL DEFAULT 'out' CHECK (direction IN ('out', 'in'));

-- A CRM, as one clinic has it. ``settings``: names of cloud/crm/connectors/offered.py. ``sealed``: its secrets, under
-- PULSEPOST_CRM_KEY. ``reference_key`` makes its references: other ones for each destination, and nobody's to read.
CREATE TABLE crm_destination (
    destination_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name            text NOT NULL UNIQUE CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    kind            text NOT NULL,
    settings        jsonb NOT NULL DEFAULT '{}',
    sealed          bytea,
    reference_key   bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    max_age         interval NOT NULL DEFAULT '24 hours' CHECK (max_age > '0'),
    active          boolean NOT NULL DEFAULT true,
    added_at        timestamptz NOT NULL,
    -- How it stands: since when nothing goes through, why, and when somebody tries again.
    failures        integer NOT NULL DEFAULT 0,  -- in a row
    failing         uuid,                        -- the last event that failed: one alone is no outage
    down_since      timestamptz,
    down_why        text,
    not_before      timestamptz,                 -- nothing is sent before: they asked for it, or it is down
    probes          integer NOT NULL DEFAULT 0,  -- since it is down
    last_done_at    timestamptz,
    CHECK ((down_since IS NULL) = (down_why IS NULL))
);

-- One event for one destination. ``what`` and ``thing_id``: the case, visit, call or patient that it is about;
-- ``reference`` is what the destination calls it, ``subject`` what it calls the patient. ``data``: work, and values, names
-- or numbers only where the destination's settings say so.
CREATE TABLE crm_outbox (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        uuid NOT NULL UNIQUE,        -- UUIDv7
    destination_id  uuid NOT NULL REFERENCES crm_destination,
    patient_id      uuid NOT NULL REFERENCES patient,
    subject         uuid NOT NULL,
    type            text NOT NULL,
    at              timestamptz NOT NULL,
    what            text NOT NULL CHECK (what IN ('patient', 'case', 'visit', 'appointment', 'call', 'complaint',
                                                  'survey')),
    thing_id        uuid NOT NULL,
    reference       uuid NOT NULL,
    data            jsonb NOT NULL,
    -- 'dead': nobody tries it by themselves. 'settled': somebody has seen to a dead one otherwise.
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead', 'settled')),
    next_at         timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    leased_until    timestamptz,                 -- somebody has it in hand until then
    unclear_since   timestamptz,                 -- a try of it may have been carried out
    last_error      text,                        -- a kind of error or a status
    ended_at        timestamptz,
    since           timestamptz NOT NULL,        -- its age counts from here; a replay begins anew
    replay_why      text,                        -- why somebody had it tried again the last time, or settled it
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX crm_outbox_due ON crm_outbox (destination_id, next_at, seq) WHERE state = 'waiting';
CREATE INDEX crm_outbox_of_subject ON crm_outbox (destination_id, subject, seq) WHERE state = 'waiting';
CREATE INDEX crm_outbox_of_thing ON crm_outbox (reference, seq);
CREATE INDEX crm_outbox_of_patient ON crm_outbox (subject);
CREATE INDEX crm_outbox_dead ON crm_outbox (destination_id, seq DESC) WHERE state = 'dead';
CREATE INDEX crm_outbox_over ON crm_outbox (ended_at) WHERE state IN ('done', 'settled');

-- What we know them by over there. It outlives the events: links lead by it, and what ended is ended by it. ``theirs``: a
-- contact that was there before us, and stays as they wrote it.
CREATE TABLE crm_remote (
    destination_id  uuid NOT NULL REFERENCES crm_destination,
    kind            text NOT NULL CHECK (kind IN ('contact', 'todo', 'note', 'ticket', 'call')),
    reference       uuid NOT NULL,
    patient_id      uuid NOT NULL REFERENCES patient,
    thing_id        uuid NOT NULL,
    remote_id       text NOT NULL,
    made_at         timestamptz NOT NULL,
    completed_at    timestamptz,                 -- by us: what they then say of it is our own echo
    theirs          boolean NOT NULL DEFAULT false,
    PRIMARY KEY (destination_id, kind, reference)
);
CREATE INDEX ON crm_remote (destination_id, kind, remote_id);
CREATE INDEX ON crm_remote (reference);

-- What they told us, each event once: who says the same again later has not got our answer, who sends the very same
-- request again replays it. A hint: the jobs process looks at it, and a person decides.
CREATE TABLE crm_inbox (
    destination_id  uuid NOT NULL REFERENCES crm_destination,
    event_id        text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 200),
    kind            text NOT NULL,
    remote_id       text NOT NULL,
    echo_of         text,
    said_at         timestamptz,
    signed_at       timestamptz,                 -- the latest request that said it; NULL: nothing says
    heard_at        timestamptz NOT NULL,
    patient_id      uuid REFERENCES patient,     -- once it is known whom it is about
    outcome         text CHECK (outcome IN ('noted', 'echo', 'unknown', 'nothing', 'not_so')),
    settled_at      timestamptz,
    tries           integer NOT NULL DEFAULT 0,
    next_at         timestamptz NOT NULL,
    PRIMARY KEY (destination_id, event_id),
    CHECK ((outcome IS NULL) = (settled_at IS NULL))
);
CREATE INDEX crm_inbox_due ON crm_inbox (destination_id, next_at) WHERE settled_at IS NULL;
CREATE INDEX crm_inbox_over ON crm_inbox (settled_at) WHERE settled_at IS NOT NULL;

-- Writing it down -------------------------------------------------------------------------------------------------------

-- RFC 9562: milliseconds first, so that they sort as they happened.
CREATE FUNCTION uuid_v7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
        'hex')::uuid
$$;

-- What one destination calls something of ours. Nobody who has it, and not the key, comes back to the id.
CREATE FUNCTION crm_reference(key bytea, thing_id uuid) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(substring(sha256(key || uuid_send(thing_id)) FROM 1 FOR 16), 'hex')::uuid
$$;

-- One row for each active destination. ``private``: what stays here unless the destination's settings say otherwise, by
-- the name of the setting. Of training patients nothing leaves. ``follows``: only where something went before of it; that
-- waits for a destination that was stopped, too, so that nothing it knows stays open there when it is told again.
CREATE FUNCTION crm_tell(of_patient uuid, of_type text, at timestamptz, of_what text, thing uuid, facts jsonb,
                         private jsonb, follows boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO crm_outbox (event_id, destination_id, patient_id, subject, type, at, what, thing_id, reference, data,
                            next_at, since)
    SELECT uuid_v7(at), d.destination_id, of_patient, crm_reference(d.reference_key, of_patient), of_type, at, of_what,
           thing, crm_reference(d.reference_key, thing),
           jsonb_strip_nulls(facts
               || CASE WHEN d.settings ->> 'values' = 'yes' THEN coalesce(private -> 'values', '{}') ELSE '{}' END
               || CASE WHEN d.settings ->> 'names' = 'yes' THEN jsonb_build_object('name',
                      (SELECT p.display_name FROM patient p WHERE p.patient_id = of_patient)) ELSE '{}' END
               || CASE WHEN d.settings ->> 'phones' = 'yes' THEN jsonb_build_object('phone',
                      (SELECT e.phones[1] FROM emergency_card e
                       WHERE e.patient_id = of_patient AND e.superseded_at IS NULL))
                      || coalesce(private -> 'phones', '{}') ELSE '{}' END),
           at, at
    FROM crm_destination d
    WHERE (d.active OR follows) AND NOT is_training(of_patient)
      AND (NOT follows OR EXISTS (SELECT FROM crm_outbox o WHERE o.destination_id = d.destination_id
                                  AND o.reference = crm_reference(d.reference_key, thing))
                       -- Of a patient whatever there was made them known.
                       OR EXISTS (SELECT FROM crm_outbox o WHERE o.destination_id = d.destination_id
                                  AND o.subject = crm_reference(d.reference_key, thing))
                       -- The event itself may have been deleted meanwhile (cloud/crm/outbox/course.py).
                       OR EXISTS (SELECT FROM crm_remote r WHERE r.destination_id = d.destination_id
                                  AND r.kind IN ('contact', 'todo', 'ticket')
                                  AND r.reference = crm_reference(d.reference_key, thing)))
    ORDER BY d.destination_id
$$;
REVOKE ALL ON FUNCTION crm_tell(uuid, text, timestamptz, text, uuid, jsonb, jsonb, boolean) FROM PUBLIC;

-- A case: whoever writes what happened to it writes this with it. What is closed as soon as it is raised is nobody's work.
CREATE FUNCTION crm_tell_of_case() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM crm_destination) THEN
        RETURN NULL;
    END IF;
    PERFORM crm_tell(c.patient_id, 'org.pulsepost.case.' || CASE e.event
                WHEN 'raise' THEN 'opened' WHEN 'worsen' THEN 'worsened' WHEN 'acknowledge' THEN 'taken'
                WHEN 'escalate' THEN 'escalated' WHEN 'lapse' THEN 'returned' ELSE 'resolved' END || '.v1',
            e.at, 'case', c.case_id,
            jsonb_build_object('tier', c.tier, 'deadline', c.deadline, 'contact_by', c.contact_by),
            jsonb_build_object('values', jsonb_build_object('sentence', c.sentence)),
            e.event IN ('acknowledge', 'lapse', 'resolve', 'close_automatically'))
    FROM told e JOIN alert_case c USING (case_id)
    WHERE e.event IN ('raise', 'worsen', 'acknowledge', 'escalate', 'lapse', 'resolve', 'close_automatically')
      AND NOT (e.event = 'raise' AND c.closed_automatically IS NOT NULL)
    ORDER BY e.event_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT ON case_event REFERENCING NEW TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION crm_tell_of_case();

CREATE FUNCTION crm_tell_of_patient() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.activated_at IS DISTINCT FROM OLD.activated_at THEN
        IF NEW.activated_at IS NOT NULL AND NEW.ended_at IS NULL THEN
            PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.patient.enrolled.v1', NEW.activated_at, 'patient',
                             NEW.patient_id, '{"active": true}', '{}', false);
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL THEN
        -- Why they left is theirs. Nobody hears of a patient because they leave.
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.patient.withdrawn.v1', NEW.ended_at, 'patient',
                         NEW.patient_id, '{"active": false}', '{}', true);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT OR UPDATE ON participation
    FOR EACH ROW EXECUTE FUNCTION crm_tell_of_patient();

CREATE FUNCTION crm_tell_of_call() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.ended_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.ended_at IS NULL) THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.call.recorded.v1', NEW.ended_at, 'call', NEW.call_id,
            jsonb_build_object('direction', NEW.direction, 'outcome', NEW.outcome, 'began_at', NEW.started_at,
                'duration_s', greatest(0, extract(epoch FROM NEW.ended_at - NEW.started_at)::integer)),
            jsonb_build_object('phones', jsonb_build_object('number', NEW.number)), false);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT OR UPDATE ON call FOR EACH ROW EXECUTE FUNCTION crm_tell_of_call();

CREATE FUNCTION crm_tell_of_visit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- A day is over where the patient lives.
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.visit.invited.v1', NEW.asked_at, 'visit', NEW.visit_id,
            jsonb_build_object('way', NEW.way, 'by_day', NEW.by_day, 'deadline', (SELECT
                (NEW.by_day + time '23:59') AT TIME ZONE p.time_zone FROM patient p
                WHERE p.patient_id = NEW.patient_id)),
            '{}', false);
    ELSIF NEW.outcome IS NOT NULL AND OLD.outcome IS NULL THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.visit.ended.v1', NEW.ended_at, 'visit', NEW.visit_id,
            jsonb_build_object('way', NEW.way, 'outcome', NEW.outcome), '{}', true);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT OR UPDATE ON visit FOR EACH ROW EXECUTE FUNCTION crm_tell_of_visit();

-- Booked, moved, over: 0024_appointments.sql says when.
CREATE FUNCTION crm_tell_of_appointment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state = 'booked' THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.appointment.booked.v1', NEW.at, 'appointment',
            NEW.appointment_id, jsonb_build_object('deadline', NEW.starts_at,
                'way', (SELECT a.way FROM appointment a WHERE a.appointment_id = NEW.appointment_id)), '{}', false);
    ELSIF NEW.state IN ('took_place', 'no_show', 'cancelled') THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.appointment.ended.v1', NEW.at, 'appointment',
            NEW.appointment_id, jsonb_build_object('outcome', NEW.state), '{}', true);
    END IF;
    RETURN NULL;
END
$$;

-- Who may do what -------------------------------------------------------------------------------------------------------

-- The console reads destinations (what one of them calls our patients is in none of its columns), and tells the jobs to
-- try again. Its administrators and support see what could not be delivered, of whom it was not.
GRANT SELECT (destination_id, name, kind, settings, sealed, max_age, active, added_at, failures, down_since, down_why,
              not_before, probes, last_done_at), UPDATE (not_before) ON crm_destination TO pulsepost_console;
GRANT SELECT (destination_id, name, kind, settings, sealed, max_age, active, added_at, failures, failing, down_since,
              down_why, not_before, probes, last_done_at),
      UPDATE (failures, failing, down_since, down_why, not_before, probes, last_done_at)
    ON crm_destination TO pulsepost_jobs;
GRANT SELECT, UPDATE (state, next_at, attempts, leased_until, unclear_since, last_error, ended_at)
    ON crm_outbox TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE (remote_id, completed_at, theirs) ON crm_remote TO pulsepost_jobs;
GRANT DELETE ON crm_outbox, crm_remote, crm_inbox TO pulsepost_jobs;
GRANT SELECT, UPDATE (patient_id, outcome, settled_at, tries, next_at) ON crm_inbox TO pulsepost_jobs;
GRANT SELECT (subject, reference, what, thing_id, patient_id) ON crm_outbox TO pulsepost_console;
GRANT SELECT (kind, reference, thing_id, patient_id) ON crm_remote TO pulsepost_console;
SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{crm_outbox, crm_remote}'::regclass[]) t;
SELECT guard('crm_inbox', '{pulsepost_jobs}');

CREATE VIEW crm_standing WITH (security_barrier) AS
    SELECT d.destination_id, w.waiting, w.oldest, g.dead
    FROM crm_destination d
    -- Each by the index of its state: what was taken in a month is much more.
    CROSS JOIN LATERAL (SELECT count(*) AS waiting, min(o.at) AS oldest FROM crm_outbox o
                        WHERE o.destination_id = d.destination_id AND o.state = 'waiting') w
    CROSS JOIN LATERAL (SELECT count(*) AS dead FROM crm_outbox o
                        WHERE o.destination_id = d.destination_id AND o.state = 'dead') g
    WHERE (SELECT a.role FROM acting_account a) IN ('administrator', 'support');

CREATE VIEW crm_dead_letter WITH (security_barrier) AS
    SELECT o.seq, o.destination_id, o.type, o.at, o.attempts, o.last_error, o.ended_at, o.replay_why
    FROM crm_outbox o
    WHERE o.state = 'dead' AND (SELECT a.role FROM acting_account a) IN ('administrator', 'support');
GRANT SELECT ON crm_standing, crm_dead_letter TO pulsepost_console;

-- Try dead letters of a destination again: one, or all (NULL). How many. What was tried before may have been done. What
-- ended the same thing follows again: it had nothing to end while this was missing.
CREATE FUNCTION crm_replay(destination uuid, letter bigint, why text, moment timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH again AS (
        UPDATE crm_outbox o SET state = 'waiting', next_at = moment, since = moment, ended_at = NULL,
               replay_why = why
        WHERE o.destination_id = destination AND o.state = 'dead' AND (letter IS NULL OR o.seq = letter)
          AND (SELECT a.role FROM acting_account a) IN ('administrator', 'support')
        RETURNING o.reference, o.seq
    ), ends AS (
        UPDATE crm_outbox o SET state = 'waiting', next_at = moment, since = moment, ended_at = NULL
        FROM (SELECT reference, min(seq) AS seq FROM again GROUP BY reference) a
        WHERE o.destination_id = destination AND o.reference = a.reference AND o.seq > a.seq AND o.state = 'done'
          AND o.type IN ('org.pulsepost.case.resolved.v1', 'org.pulsepost.visit.ended.v1',
                         'org.pulsepost.appointment.ended.v1'))
    SELECT count(*) FROM again
$$;

-- A dead letter that nobody needs any more: they have put it right over there, or it is about nothing now. How many.
CREATE FUNCTION crm_settle(destination uuid, letter bigint, why text, moment timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH settled AS (
        UPDATE crm_outbox o SET state = 'settled', ended_at = moment, replay_why = why
        WHERE o.destination_id = destination AND o.state = 'dead' AND o.seq = letter
          AND (SELECT a.role FROM acting_account a) IN ('administrator', 'support')
        RETURNING 1)
    SELECT count(*) FROM settled
$$;

-- Whether somebody's name over there is the patient's: the same words, in whatever order. The name stays here.
CREATE FUNCTION crm_has_name(of_patient uuid, said text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM patient p WHERE p.patient_id = of_patient AND (
        SELECT array_agg(w ORDER BY w) FROM regexp_split_to_table(lower(p.display_name), '[\s,.]+') w WHERE w <> ''
    ) = (
        SELECT array_agg(w ORDER BY w) FROM regexp_split_to_table(lower(said), '[\s,.]+') w WHERE w <> ''
    ))
$$;
REVOKE ALL ON FUNCTION crm_settle(uuid, bigint, text, timestamptz), crm_has_name(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_settle(uuid, bigint, text, timestamptz) TO pulsepost_console;
GRANT EXECUTE ON FUNCTION crm_has_name(uuid, text) TO pulsepost_jobs;

-- A hint that was verified, before anybody is set. 'new', 'known' (said again), 'replayed' (the very same request).
CREATE FUNCTION crm_hear(destination uuid, event text, of_kind text, remote text, echo text, said timestamptz,
                         signed timestamptz, moment timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO crm_inbox (destination_id, event_id, kind, remote_id, echo_of, said_at, signed_at, heard_at, next_at)
    VALUES (destination, event, of_kind, remote, echo, said, signed, moment, moment)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN 'new';
    END IF;
    UPDATE crm_inbox i SET signed_at = signed
    WHERE i.destination_id = destination AND i.event_id = event AND (i.signed_at < signed) IS NOT FALSE;
    RETURN CASE WHEN FOUND THEN 'known' ELSE 'replayed' END;
END
$$;
REVOKE ALL ON FUNCTION crm_replay(uuid, bigint, text, timestamptz),
    crm_hear(uuid, text, text, text, text, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_replay(uuid, bigint, text, timestamptz),
    crm_hear(uuid, text, text, text, text, timestamptz, timestamptz, timestamptz) TO pulsepost_console;
