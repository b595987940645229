-- Appointments: who sees patients when and where, what is booked, who waits for a freed slot.
--
-- Slots are no rows: they are derived from hours (cloud/crm/appointments/slots.py). A row is what is taken: a booking, or an
-- offer that somebody from the waiting list has still to answer. That nobody is booked twice is the constraint's to keep.

-- Hours of every week by the site's wall clock, and hours of one day only (weekday NULL). Nothing is deleted.
CREATE TABLE appointment_hours (
    hours_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id    uuid NOT NULL REFERENCES account,
    ways          text[] NOT NULL CHECK (cardinality(ways) BETWEEN 1 AND 4
                                         AND ways <@ '{clinic,telephone,video,home}'::text[]),
    place         text NOT NULL DEFAULT '' CHECK (length(place) <= 200),
    link          text NOT NULL DEFAULT '' CHECK (link = '' OR link ~ '^https://' AND length(link) <= 500),
    weekday       smallint CHECK (weekday BETWEEN 0 AND 6),      -- Monday is 0
    starts        time NOT NULL,
    ends          time NOT NULL CHECK (ends > starts),
    slot_minutes  smallint NOT NULL CHECK (slot_minutes BETWEEN 5 AND 240),
    for_patients  boolean NOT NULL,              -- patients may book here themselves
    first_day     date NOT NULL,
    last_day      date,
    set_by        uuid NOT NULL REFERENCES account,
    set_at        timestamptz NOT NULL,
    withdrawn_at  timestamptz,                   -- it never counted
    CHECK (last_day >= first_day),
    CHECK (weekday IS NOT NULL OR last_day = first_day)
);
CREATE INDEX appointment_hours_in_force ON appointment_hours (last_day) WHERE withdrawn_at IS NULL;

-- Nobody is seen then: by this person, or by anybody (account_id NULL). What is booked already stays.
CREATE TABLE appointment_closure (
    closure_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id    uuid REFERENCES account,
    starts        timestamptz NOT NULL,
    ends          timestamptz NOT NULL CHECK (ends > starts),
    set_by        uuid NOT NULL REFERENCES account,
    set_at        timestamptz NOT NULL,
    withdrawn_at  timestamptz
);
CREATE INDEX appointment_closure_ends ON appointment_closure (ends) WHERE withdrawn_at IS NULL;

-- Somebody waits for a slot that is freed: which would do.
CREATE TABLE appointment_wish (
    wish_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id   uuid NOT NULL REFERENCES patient,
    way          text NOT NULL CHECK (way IN ('clinic', 'telephone', 'video', 'home')),
    seen_by      uuid REFERENCES account,        -- NULL: anybody
    first_day    date NOT NULL,                  -- on the patient's calendar
    last_day     date NOT NULL CHECK (last_day >= first_day),
    visit_id     uuid,
    asked_by     uuid NOT NULL REFERENCES account,
    asked_at     timestamptz NOT NULL,
    ended_at     timestamptz,                    -- booked by it, or wished no more
    UNIQUE (wish_id, patient_id),
    FOREIGN KEY (visit_id, patient_id) REFERENCES visit (visit_id, patient_id)
);
CREATE INDEX appointment_wish_waiting ON appointment_wish (asked_at) WHERE ended_at IS NULL;
CREATE INDEX ON appointment_wish (patient_id);

CREATE TABLE appointment (
    appointment_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id      uuid NOT NULL REFERENCES patient,
    seen_by         uuid NOT NULL REFERENCES account,
    way             text NOT NULL CHECK (way IN ('clinic', 'telephone', 'video', 'home')),
    place           text NOT NULL DEFAULT '' CHECK (length(place) <= 200),
    link            text NOT NULL DEFAULT '' CHECK (link = '' OR link ~ '^https://' AND length(link) <= 500),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '8 hours'),
    -- 'offered': kept for somebody of the waiting list until answer_by; 'declined', 'lapsed': they did not take it.
    state           text NOT NULL CHECK (state IN ('offered', 'booked', 'took_place', 'no_show', 'cancelled', 'declined',
                                                   'lapsed')),
    visit_id        uuid,                        -- the invitation that it arranges
    wish_id         uuid,
    answer_by       timestamptz,
    booked_by       uuid REFERENCES account,     -- NULL: offered by the waiting list
    booked_at       timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    sequence        integer NOT NULL DEFAULT 0,  -- iCalendar's: how often it was moved, cancelled or changed
    remind_at       timestamptz,                 -- NULL: it was booked so late that nobody needs to be reminded
    reminded_at     timestamptz,
    confirmed_at    timestamptz,                 -- the patient said that they will come
    ended_by        uuid REFERENCES account,
    UNIQUE (appointment_id, patient_id),
    FOREIGN KEY (visit_id, patient_id) REFERENCES visit (visit_id, patient_id),
    FOREIGN KEY (wish_id, patient_id) REFERENCES appointment_wish (wish_id, patient_id),
    CHECK ((state IN ('offered', 'declined', 'lapsed')) <= (wish_id IS NOT NULL AND answer_by IS NOT NULL)),
    -- Nobody sees two patients at once, and nobody is seen by two people at once.
    CONSTRAINT appointment_once EXCLUDE USING gist (seen_by WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state IN ('offered', 'booked', 'took_place', 'no_show')),
    CONSTRAINT appointment_of_one_patient EXCLUDE USING gist (patient_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state IN ('offered', 'booked'))
);
CREATE INDEX ON appointment (patient_id, starts_at DESC);
CREATE INDEX ON appointment (seen_by, starts_at);
CREATE INDEX ON appointment (starts_at);
CREATE INDEX ON appointment (visit_id);
CREATE INDEX appointment_to_remind ON appointment (remind_at) WHERE state = 'booked' AND reminded_at IS NULL;
CREATE INDEX appointment_offered ON appointment (answer_by) WHERE state = 'offered';

-- What became of each, in order; written by the trigger below, by nobody else.
CREATE TABLE appointment_event (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    appointment_id  uuid NOT NULL,
    patient_id      uuid NOT NULL REFERENCES patient,
    at              timestamptz NOT NULL,
    account_id      uuid REFERENCES account,     -- NULL: our own jobs
    state           text NOT NULL,
    starts_at       timestamptz NOT NULL,
    seen_by         uuid NOT NULL REFERENCES account,
    FOREIGN KEY (appointment_id, patient_id) REFERENCES appointment (appointment_id, patient_id)
);
CREATE INDEX ON appointment_event (appointment_id, event_id);

-- A slot that came free while somebody waits: offered to one after the other. It names nobody who had it.
CREATE TABLE appointment_freed (
    freed_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    seen_by     uuid NOT NULL REFERENCES account,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    freed_at    timestamptz NOT NULL,
    settled_at  timestamptz                      -- taken, over, or nobody is left who waits for it
);
CREATE INDEX appointment_freed_open ON appointment_freed (freed_at) WHERE settled_at IS NULL;

-- Whose calendar an address opens; the address itself is known to its owner alone.
CREATE TABLE calendar_address (
    account_id  uuid PRIMARY KEY REFERENCES account,
    token_hash  bytea NOT NULL UNIQUE,
    made_at     timestamptz NOT NULL
);

-- What follows from a change, whoever makes it: its history, the timer of its reminder, and what came free.
CREATE FUNCTION follow_appointment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    freed uuid;
    told uuid;
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.state, OLD.starts_at, OLD.seen_by) IS DISTINCT FROM (NEW.state, NEW.starts_at, NEW.seen_by) THEN
        INSERT INTO appointment_event (appointment_id, patient_id, at, account_id, state, starts_at, seen_by)
        VALUES (NEW.appointment_id, NEW.patient_id, NEW.changed_at, acting_account_id(), NEW.state, NEW.starts_at,
                NEW.seen_by);
    END IF;
    IF NEW.state = 'booked' AND NEW.reminded_at IS NULL AND NEW.remind_at IS NOT NULL THEN
        PERFORM wake('remind_of_appointment', 'remind_of_appointment:' || NEW.appointment_id,
                     jsonb_build_object('appointment_id', NEW.appointment_id), NEW.remind_at);
    END IF;
    -- Nobody is told any more of what is over or was moved (outside_message is of 0026_followup.sql).
    IF TG_OP = 'UPDATE' AND OLD.state IN ('offered', 'booked')
       AND (OLD.state, OLD.starts_at) IS DISTINCT FROM (NEW.state, NEW.starts_at) THEN
        UPDATE outside_message SET state = 'withdrawn', next_at = NULL, ended_at = NEW.changed_at
        WHERE patient_id = NEW.patient_id AND subject_id = NEW.appointment_id AND state = 'waiting';
    END IF;
    -- Whoever was not asked hears that there is something on their page.
    IF TG_OP = 'UPDATE' AND OLD.state = 'booked' AND OLD.starts_at > NEW.changed_at
       AND (NEW.state = 'cancelled' OR (OLD.starts_at, OLD.seen_by, OLD.way, OLD.place)
                                       IS DISTINCT FROM (NEW.starts_at, NEW.seen_by, NEW.way, NEW.place))
       AND NOT is_training(NEW.patient_id)
       AND EXISTS (SELECT FROM acting_account a WHERE a.role <> 'patient') THEN
        INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, until, next_at)
        VALUES (NEW.patient_id, 'visit', 'appointment:' || NEW.appointment_id || ':change:' || NEW.sequence,
                NEW.appointment_id, NEW.changed_at, least(OLD.starts_at, NEW.starts_at), NEW.changed_at)
        ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id INTO told;
        PERFORM wake_outside(told, NEW.changed_at);
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state IN ('offered', 'booked')
       AND (NEW.state IN ('cancelled', 'declined', 'lapsed')
            OR (OLD.starts_at, OLD.seen_by) IS DISTINCT FROM (NEW.starts_at, NEW.seen_by)) THEN
        -- Of an offer the slot is on its way already.
        SELECT f.freed_id INTO freed FROM appointment_freed f
            WHERE f.seen_by = OLD.seen_by AND f.starts_at = OLD.starts_at AND f.settled_at IS NULL;
        IF freed IS NULL AND OLD.starts_at > NEW.changed_at
           AND EXISTS (SELECT FROM appointment_wish w
                       WHERE w.ended_at IS NULL AND (OLD.starts_at AT TIME ZONE 'UTC')::date
                           BETWEEN w.first_day - 1 AND w.last_day + 1) THEN
            INSERT INTO appointment_freed (seen_by, starts_at, ends_at, freed_at)
            VALUES (OLD.seen_by, OLD.starts_at, OLD.ends_at, NEW.changed_at) RETURNING freed_id INTO freed;
        END IF;
        IF freed IS NOT NULL THEN
            PERFORM wake('offer_freed_slot', 'offer_freed_slot:' || freed, jsonb_build_object('freed_id', freed),
                         NEW.changed_at);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION follow_appointment() FROM PUBLIC;
CREATE TRIGGER follow_appointment AFTER INSERT OR UPDATE ON appointment
    FOR EACH ROW EXECUTE FUNCTION follow_appointment();

-- Nobody waits for somebody who has died, and nobody calls their home to ask whether they will come.
CREATE FUNCTION nobody_comes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE appointment_wish SET ended_at = NEW.ended_at WHERE patient_id = NEW.patient_id AND ended_at IS NULL;
    UPDATE appointment SET state = CASE state WHEN 'offered' THEN 'declined' ELSE 'cancelled' END, ended_by = NEW.ended_by,
                           changed_at = NEW.ended_at, sequence = sequence + 1
    WHERE patient_id = NEW.patient_id AND state IN ('offered', 'booked') AND starts_at > NEW.ended_at;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nobody_comes() FROM PUBLIC;
CREATE TRIGGER nobody_comes AFTER UPDATE OF ended_at ON participation FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.end_reason = 'died') EXECUTE FUNCTION nobody_comes();

-- When people who see patients have no time: said to everybody, and of nobody whom they see. A slot that was just freed is
-- kept for the waiting list for some minutes, in which the jobs offer it.
CREATE FUNCTION appointments_taken(since timestamptz, until timestamptz, at timestamptz)
    RETURNS TABLE (seen_by uuid, starts_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.seen_by, a.starts_at, a.ends_at FROM appointment a
    WHERE a.state IN ('offered', 'booked', 'took_place', 'no_show')
      AND tstzrange(a.starts_at, a.ends_at) && tstzrange(since, until)
      AND a.starts_at BETWEEN since - interval '8 hours' AND until      -- none is longer
    UNION ALL
    SELECT f.seen_by, f.starts_at, f.ends_at FROM appointment_freed f
    WHERE f.settled_at IS NULL AND f.freed_at > appointments_taken.at - interval '10 minutes'
      AND tstzrange(f.starts_at, f.ends_at) && tstzrange(since, until)
$$;

-- Nobody is signed in where a calendar program asks: whoever has the address is its owner, as far as their calendar goes.
CREATE FUNCTION account_of_calendar(hash bytea) RETURNS TABLE (account_id uuid, role text, language text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.account_id, a.role, a.language FROM calendar_address c JOIN account a USING (account_id)
    WHERE c.token_hash = hash AND a.disabled_at IS NULL
$$;
-- What whoever asks has with patients, for their own calendar: whoever cares for these, and of nobody whom they see.
CREATE FUNCTION own_appointments(since timestamptz)
    RETURNS TABLE (appointment_id uuid, seen_by_name text, way text, place text, link text, starts_at timestamptz,
                   ends_at timestamptz, state text, changed_at timestamptz, sequence integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.appointment_id, s.display_name, t.way, t.place, t.link, t.starts_at, t.ends_at, t.state, t.changed_at, t.sequence
    FROM appointment t JOIN account s ON s.account_id = t.seen_by
    WHERE t.seen_by = acting_account_id() AND t.starts_at > since
      AND t.state IN ('booked', 'cancelled', 'took_place', 'no_show')
$$;
REVOKE ALL ON FUNCTION own_appointments(timestamptz), appointments_taken(timestamptz, timestamptz, timestamptz),
    account_of_calendar(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION appointments_taken(timestamptz, timestamptz, timestamptz) TO pulsepost_console, pulsepost_jobs;
GRANT EXECUTE ON FUNCTION account_of_calendar(bytea), own_appointments(timestamptz) TO pulsepost_console;

-- Grants -----------------------------------------------------------------------------------------------------------------

GRANT SELECT, INSERT ON appointment_hours, appointment_closure TO pulsepost_console;
GRANT SELECT ON appointment_hours, appointment_closure TO pulsepost_jobs;
GRANT UPDATE (last_day, withdrawn_at) ON appointment_hours TO pulsepost_console;
GRANT UPDATE (withdrawn_at) ON appointment_closure TO pulsepost_console;
GRANT SELECT, INSERT ON appointment, appointment_wish TO pulsepost_console;
GRANT UPDATE (seen_by, way, place, link, starts_at, ends_at, state, changed_at, sequence, remind_at, reminded_at,
              confirmed_at, ended_by, booked_by, booked_at) ON appointment TO pulsepost_console;
GRANT UPDATE (ended_at) ON appointment_wish TO pulsepost_console;
GRANT SELECT ON appointment_event TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_address TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE (state, changed_at, reminded_at) ON appointment TO pulsepost_jobs;
GRANT SELECT ON appointment_wish TO pulsepost_jobs;
GRANT SELECT, UPDATE (settled_at) ON appointment_freed TO pulsepost_jobs;

-- For whoever cares for the patient; the patient books, moves and cancels for themselves.
SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{appointment, appointment_wish}'::regclass[]) t;
SELECT guard_patients('appointment_event');
-- Outside CRMs are told (0023_crm_outbox.sql).
CREATE TRIGGER crm_tell AFTER INSERT ON appointment_event FOR EACH ROW EXECUTE FUNCTION crm_tell_of_appointment();
CREATE POLICY "as oneself" ON appointment AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (booked_by = (SELECT a.account_id FROM acting_account a) AND state = 'booked');
CREATE POLICY "as oneself" ON appointment_wish AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (asked_by = (SELECT a.account_id FROM acting_account a));
-- A patient does not say what became of it.
CREATE POLICY "what became of it" ON appointment AS RESTRICTIVE FOR UPDATE TO pulsepost_console
    USING (true) WITH CHECK ((SELECT a.role FROM acting_account a) <> 'patient'
                             OR state IN ('booked', 'cancelled', 'declined'));
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{appointment, appointment_wish}'::text[] LOOP
        EXECUTE format('CREATE POLICY booked ON %I FOR INSERT TO pulsepost_console WITH CHECK (%s)', name,
                       oneself_sql(name));
        EXECUTE format('CREATE POLICY changed ON %I FOR UPDATE TO pulsepost_console USING (%s)', name,
                       oneself_sql(name));
    END LOOP;
END
$$;

-- The times of visits until now become appointments of 20 minutes with whoever asked for the visit. Where those would have
-- two at once, the later one's invitation waits for a time again, in the list of those that do.
INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, visit_id, booked_by, booked_at, changed_at,
                         remind_at, ended_by)
SELECT v.patient_id, v.asked_by, v.way, t.starts_at, t.starts_at + interval '20 min',
       CASE WHEN v.outcome IS NULL THEN 'booked' WHEN v.outcome = 'took_place' THEN 'took_place' ELSE 'cancelled' END,
       v.visit_id, t.set_by, t.set_at, coalesce(v.ended_at, t.set_at), t.starts_at - interval '1 day', v.ended_by
FROM visit v
JOIN LATERAL (SELECT * FROM visit_time x WHERE x.visit_id = v.visit_id ORDER BY visit_time_id DESC LIMIT 1) t ON true
ORDER BY t.starts_at
ON CONFLICT DO NOTHING;
DROP TABLE visit_time;
