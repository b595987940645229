-- Telephone systems of the clinic: what they are asked, what they tell us of calls, and where a recording of one is. No
-- sound is ever kept here. And the words of what a patient is told outside, where a clinic has its own.

-- ``settings``, ``sealed``: by the names of cloud/crm/telephony/systems.py; secrets under PULSEPOST_CRM_KEY.
CREATE TABLE telephone_system (
    system_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL UNIQUE CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    kind       text NOT NULL,
    settings   jsonb NOT NULL DEFAULT '{}',
    sealed     bytea,
    -- How long it is kept where a recording is (a proposal: 90 days).
    keeps_for  interval NOT NULL DEFAULT '90 days' CHECK (keeps_for > '0'),
    active     boolean NOT NULL DEFAULT true,
    added_at   timestamptz NOT NULL
);

-- The telephone on somebody's desk.
CREATE TABLE telephone_extension (
    account_id  uuid PRIMARY KEY REFERENCES account,
    system_id   uuid NOT NULL REFERENCES telephone_system,
    extension   text NOT NULL CHECK (extension ~ '^[0-9*#]{1,20}$'),
    set_at      timestamptz NOT NULL,
    UNIQUE (system_id, extension)
);

-- What a system told us, once for each of its events: who sends the same again later has not got our answer, who sends the
-- very same request again replays it.
CREATE TABLE telephone_event (
    system_id  uuid NOT NULL REFERENCES telephone_system,
    event_id   text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 200),
    signed_at  timestamptz NOT NULL,
    heard_at   timestamptz NOT NULL,
    PRIMARY KEY (system_id, event_id)
);
CREATE INDEX ON telephone_event (system_id, heard_at);

-- Somebody asked their telephone to ring, and then the patient's. Asked once and never again by itself: a telephone that
-- rings twice is worse than one that is dialled by hand.
CREATE TABLE telephone_ring (
    ring_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id   uuid NOT NULL REFERENCES patient,
    account_id   uuid NOT NULL REFERENCES account,
    system_id    uuid NOT NULL REFERENCES telephone_system,
    extension    text NOT NULL,
    contact_id   uuid,                           -- NULL: the patient
    number       text NOT NULL,                  -- E.164
    call_id      uuid,                           -- of the call log, where it was asked for in a case
    asked_at     timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'asking', 'rings', 'shown', 'failed', 'unclear', 'late')),
    why          text,                           -- a kind of error or a status, never what the far side said
    remote_id    text,                           -- what the system calls it
    settled_at   timestamptz,
    finished_at  timestamptz,                    -- the system was told that it is over
    UNIQUE (ring_id, patient_id),
    FOREIGN KEY (contact_id, patient_id) REFERENCES contact_person (contact_id, patient_id),
    FOREIGN KEY (call_id, patient_id) REFERENCES call (call_id, patient_id)
);
CREATE INDEX ON telephone_ring (account_id, asked_at DESC);
CREATE INDEX ON telephone_ring (patient_id, asked_at DESC);
CREATE INDEX ON telephone_ring (call_id) WHERE call_id IS NOT NULL;

-- A call as the system tells of it. ``patient_id``: exactly one patient has the number, it was rung for that patient, or
-- somebody said so; else nobody, and ``matching`` says of how many it is.
CREATE TABLE telephone_call (
    telephone_call_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    system_id          uuid NOT NULL REFERENCES telephone_system,
    remote_id          text NOT NULL CHECK (length(remote_id) BETWEEN 1 AND 200),
    direction          text NOT NULL CHECK (direction IN ('out', 'in')),
    number             text,                     -- E.164; NULL: withheld, or none that can be read
    extension          text,
    account_id         uuid REFERENCES account,  -- whose extension it was then
    rung               uuid[] NOT NULL DEFAULT '{}',  -- everybody whose telephone it rang
    patient_id         uuid REFERENCES patient,
    matching           integer NOT NULL DEFAULT 0,
    said_by            uuid REFERENCES account,  -- who said of which patient it is
    ring_id            uuid,
    call_id            uuid UNIQUE,              -- of the call log
    joined_by          text CHECK (joined_by IN ('ring', 'time', 'person')),
    started_at         timestamptz NOT NULL,
    answered_at        timestamptz,
    ended_at           timestamptz,
    recorded_at        timestamptz,              -- there is a recording over there, whether we know where or not
    UNIQUE (system_id, remote_id),
    UNIQUE (telephone_call_id, patient_id),
    FOREIGN KEY (ring_id, patient_id) REFERENCES telephone_ring (ring_id, patient_id),
    FOREIGN KEY (call_id, patient_id) REFERENCES call (call_id, patient_id),
    CHECK ((call_id IS NULL) = (joined_by IS NULL)),
    CHECK (call_id IS NULL OR patient_id IS NOT NULL)
);
CREATE INDEX ON telephone_call (patient_id, started_at DESC);
CREATE INDEX telephone_call_nobodys ON telephone_call (started_at) WHERE patient_id IS NULL;
CREATE INDEX telephone_call_open ON telephone_call USING gin (rung) WHERE ended_at IS NULL;

-- What the patient said when they were asked whether calls with them may be recorded; the newest word holds.
CREATE TABLE recording_consent (
    decision_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id   uuid NOT NULL REFERENCES patient,
    decision     text NOT NULL CHECK (decision IN ('given', 'refused', 'withdrawn')),
    method       text NOT NULL CHECK (method IN ('told', 'paper')),
    asked_at     timestamptz NOT NULL,
    entered_by   uuid NOT NULL REFERENCES account,
    entered_at   timestamptz NOT NULL,
    CHECK (asked_at <= entered_at)
);
CREATE INDEX ON recording_consent (patient_id, decision_no DESC);

-- Where the recording of a call is. Without consent only that there is one, so that somebody can have it deleted there. While
-- nobody knows whose call it was it waits ('waiting', patient_id NULL), and row security shows it to nobody.
CREATE TABLE call_recording (
    recording_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    telephone_call_id  uuid NOT NULL UNIQUE REFERENCES telephone_call,
    patient_id         uuid REFERENCES patient,
    state              text NOT NULL CHECK (state IN ('waiting', 'kept', 'no_consent', 'withdrawn', 'over')),
    reference          text CHECK (length(reference) BETWEEN 1 AND 500),  -- an address or an id over there
    sha256             bytea CHECK (octet_length(sha256) = 32),
    hashed_by          text CHECK (length(hashed_by) BETWEEN 1 AND 60),   -- who computed it, as they say
    told_at            timestamptz NOT NULL,
    keep_until         timestamptz NOT NULL,
    ended_at           timestamptz,
    attached_at        timestamptz,              -- the system's CRM has it with the call
    FOREIGN KEY (telephone_call_id, patient_id) REFERENCES telephone_call (telephone_call_id, patient_id),
    CHECK ((state = 'waiting') = (patient_id IS NULL)),
    CHECK ((state IN ('waiting', 'kept')) = (reference IS NOT NULL)),
    CHECK ((sha256 IS NULL) = (hashed_by IS NULL))
);
CREATE INDEX ON call_recording (patient_id);
CREATE INDEX call_recording_over ON call_recording (keep_until) WHERE state IN ('waiting', 'kept');

-- What a patient is told outside, in a clinic's own words: for all patients the same, with one place for the link.
CREATE TABLE outside_text (
    text_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    language  text NOT NULL,
    subject   text CHECK (length(subject) BETWEEN 1 AND 80),
    body      text CHECK (length(body) BETWEEN 1 AND 200 AND body LIKE '%{link}%'),  -- NULL: ours again
    set_by    uuid NOT NULL REFERENCES account,
    set_at    timestamptz NOT NULL,
    CHECK ((subject IS NULL) = (body IS NULL))
);
CREATE INDEX ON outside_text (language, text_no DESC);

-- What follows by itself ---------------------------------------------------------------------------------------------------

-- Open pages of those whose telephone it is: ids only.
CREATE FUNCTION tell_of_telephone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('live', jsonb_build_object('type', 'call', 'account_id', a)::text)
    FROM (SELECT CASE TG_TABLE_NAME WHEN 'telephone_ring' THEN ARRAY[(to_jsonb(NEW) ->> 'account_id')::uuid]
          ELSE ARRAY(SELECT jsonb_array_elements_text(to_jsonb(NEW) -> 'rung')::uuid) END AS who) x, unnest(x.who) a;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_of_telephone AFTER INSERT OR UPDATE ON telephone_ring
    FOR EACH ROW EXECUTE FUNCTION tell_of_telephone();
CREATE TRIGGER tell_of_telephone AFTER INSERT OR UPDATE ON telephone_call
    FOR EACH ROW EXECUTE FUNCTION tell_of_telephone();

CREATE FUNCTION ask_to_ring() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM wake('ring_telephone', 'ring_telephone:' || NEW.ring_id, jsonb_build_object('ring_id', NEW.ring_id),
                 NEW.asked_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER ask_to_ring AFTER INSERT ON telephone_ring FOR EACH ROW EXECUTE FUNCTION ask_to_ring();

-- Which entry of the call log a call of the system is: of the same person with the same patient, the same way, at the same
-- time (two minutes either side: people press the button before or after), and no other number. One that could be two, or
-- that two could be, is left to a person.
CREATE FUNCTION telephone_pairs(of_patient uuid) RETURNS TABLE (telephone_call_id uuid, call_id uuid)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT t.telephone_call_id, k.call_id
    FROM telephone_call t
    JOIN call k ON k.patient_id = t.patient_id AND k.account_id = t.account_id AND k.direction = t.direction
               AND (k.number IS NULL OR t.number IS NULL OR k.number = t.number)
               AND k.ended_at IS NOT NULL
               AND k.started_at - interval '2 minutes' <= t.ended_at AND k.ended_at + interval '2 minutes' >= t.started_at
    WHERE t.patient_id = of_patient AND t.call_id IS NULL AND t.ended_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM telephone_call x WHERE x.call_id = k.call_id)
$$;

CREATE FUNCTION join_telephone(of_patient uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- One at a time: two that join the same two would be in each other's way, and one of them is a nurse.
    SELECT pg_advisory_xact_lock(hashtextextended('join_telephone:' || of_patient, 0));
    WITH pairs AS MATERIALIZED (SELECT * FROM telephone_pairs(of_patient)),
         sure AS (SELECT p.* FROM pairs p
                  WHERE (SELECT count(*) FROM pairs x WHERE x.telephone_call_id = p.telephone_call_id) = 1
                    AND (SELECT count(*) FROM pairs x WHERE x.call_id = p.call_id) = 1)
    UPDATE telephone_call t SET call_id = s.call_id, joined_by = 'time' FROM sure s
    WHERE t.telephone_call_id = s.telephone_call_id
$$;

-- Ending an entry of the call log may say which call it was, and what it rang for is over.
CREATE FUNCTION call_was_on_telephone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM join_telephone(NEW.patient_id);
    PERFORM wake('telephone_over', 'telephone_over:' || r.ring_id, jsonb_build_object('ring_id', r.ring_id), NEW.ended_at)
    FROM telephone_ring r WHERE r.call_id = NEW.call_id AND r.remote_id IS NOT NULL AND r.finished_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER call_was_on_telephone AFTER UPDATE OF ended_at ON call FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION call_was_on_telephone();

-- Who takes their consent back is not to be listened to any more: what is there has to be deleted there, by a person.
CREATE FUNCTION recording_consent_ends() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE call_recording r SET state = 'withdrawn', reference = NULL, ended_at = NEW.entered_at
    WHERE r.patient_id = NEW.patient_id AND r.state = 'kept';
    RETURN NULL;
END
$$;
CREATE TRIGGER recording_consent_ends AFTER INSERT ON recording_consent FOR EACH ROW
    WHEN (NEW.decision <> 'given') EXECUTE FUNCTION recording_consent_ends();

-- It is known whose call it was: its recording is kept where that is, if the patient had agreed by the end of the call and has
-- not taken that back since; else it is forgotten where that is.
CREATE FUNCTION attribute_recording(heard telephone_call) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    agreed boolean;
BEGIN
    SELECT count(*) = 2 AND bool_and(c.decision = 'given') INTO agreed FROM (
        (SELECT decision FROM recording_consent WHERE patient_id = heard.patient_id ORDER BY decision_no DESC LIMIT 1)
        UNION ALL
        (SELECT decision FROM recording_consent
         WHERE patient_id = heard.patient_id AND asked_at <= coalesce(heard.ended_at, heard.recorded_at)
         ORDER BY asked_at DESC, decision_no DESC LIMIT 1)) c;
    UPDATE call_recording r
    SET patient_id = heard.patient_id, state = CASE WHEN agreed THEN 'kept' ELSE 'no_consent' END,
        reference = CASE WHEN agreed THEN r.reference END, sha256 = CASE WHEN agreed THEN r.sha256 END,
        hashed_by = CASE WHEN agreed THEN r.hashed_by END
    WHERE r.telephone_call_id = heard.telephone_call_id AND r.state = 'waiting';
    IF FOUND AND agreed AND heard.ring_id IS NOT NULL THEN
        PERFORM wake('telephone_over', 'telephone_over:' || heard.ring_id, jsonb_build_object('ring_id', heard.ring_id),
                     heard.recorded_at);
    END IF;
END
$$;
CREATE FUNCTION call_is_somebodys() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM attribute_recording(NEW);
    RETURN NULL;
END
$$;
CREATE TRIGGER call_is_somebodys AFTER UPDATE OF patient_id ON telephone_call FOR EACH ROW
    WHEN (OLD.patient_id IS NULL AND NEW.patient_id IS NOT NULL) EXECUTE FUNCTION call_is_somebodys();

-- Hearing ------------------------------------------------------------------------------------------------------------------

-- One event of a system that was verified, before anybody is set. 'new', 'known' (sent again), 'replayed' (the very same
-- request), 'too_many' (more in a minute than ``most``). Events come in any order: what the first did not say the others do.
CREATE FUNCTION telephone_hear(system uuid, event text, signed timestamptz, moment timestamptz, most integer, what text,
                               remote text, way text, from_number text, ext text, ring uuid, at timestamptz, place text,
                               hash bytea, hasher text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz;
    person uuid;
    asked telephone_ring;
    whose uuid[];
    heard telephone_call;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('telephone:' || system, 0));
    SELECT e.signed_at INTO before FROM telephone_event e WHERE e.system_id = system AND e.event_id = event;
    IF FOUND THEN
        IF signed <= before THEN
            RETURN 'replayed';
        END IF;
        UPDATE telephone_event e SET signed_at = signed WHERE e.system_id = system AND e.event_id = event;
        RETURN 'known';
    END IF;
    IF (SELECT count(*) FROM telephone_event e WHERE e.system_id = system AND e.heard_at > moment - interval '1 minute')
       >= most THEN
        RETURN 'too_many';
    END IF;
    INSERT INTO telephone_event VALUES (system, event, signed, moment);

    IF what = 'recorded' THEN
        INSERT INTO telephone_call AS t (system_id, remote_id, direction, started_at, recorded_at)
        VALUES (system, remote, way, at, moment)
        ON CONFLICT (system_id, remote_id) DO UPDATE SET recorded_at = coalesce(t.recorded_at, moment)
        RETURNING t.* INTO heard;
        INSERT INTO call_recording (telephone_call_id, state, reference, sha256, hashed_by, told_at, keep_until)
        SELECT heard.telephone_call_id, 'waiting', place, hash, CASE WHEN hash IS NOT NULL THEN hasher END, moment,
               moment + s.keeps_for
        FROM telephone_system s WHERE s.system_id = system
        ON CONFLICT (telephone_call_id) DO NOTHING;
        IF heard.patient_id IS NOT NULL THEN
            PERFORM attribute_recording(heard);
        END IF;
        RETURN 'new';
    END IF;

    SELECT e.account_id INTO person FROM telephone_extension e WHERE e.system_id = system AND e.extension = ext;
    SELECT r.* INTO asked FROM telephone_ring r WHERE r.ring_id = ring AND r.system_id = system;
    SELECT coalesce(array_agg(DISTINCT x.patient_id), '{}') INTO whose FROM (
        SELECT c.patient_id FROM emergency_card c WHERE c.superseded_at IS NULL AND c.phones @> ARRAY[from_number]
        UNION ALL
        SELECT p.patient_id FROM contact_person p WHERE p.removed_at IS NULL AND p.phones @> ARRAY[from_number]) x
    WHERE from_number IS NOT NULL;
    INSERT INTO telephone_call AS t (system_id, remote_id, direction, number, extension, account_id, rung, patient_id,
                                     matching, ring_id, started_at, answered_at, ended_at)
    VALUES (system, remote, way, coalesce(asked.number, from_number), ext, coalesce(asked.account_id, person),
            array_remove(ARRAY[coalesce(asked.account_id, person)], NULL),
            coalesce(asked.patient_id, CASE WHEN cardinality(whose) = 1 THEN whose[1] END), cardinality(whose),
            asked.ring_id, at, CASE WHEN what = 'answered' THEN at END, CASE WHEN what = 'ended' THEN at END)
    ON CONFLICT (system_id, remote_id) DO UPDATE SET
        -- Nothing but its recording was told of it before.
        direction = CASE WHEN t.number IS NULL AND t.rung = '{}' AND t.answered_at IS NULL AND t.ended_at IS NULL
                         THEN excluded.direction ELSE t.direction END,
        number = coalesce(t.number, excluded.number),
        matching = CASE WHEN t.number IS NULL THEN excluded.matching ELSE t.matching END,
        patient_id = coalesce(t.patient_id, asked.patient_id, CASE WHEN t.number IS NULL THEN excluded.patient_id END),
        ring_id = CASE WHEN coalesce(t.patient_id, asked.patient_id) = asked.patient_id
                       THEN coalesce(t.ring_id, asked.ring_id) ELSE t.ring_id END,
        started_at = least(t.started_at, at),
        answered_at = CASE WHEN what = 'answered' THEN least(coalesce(t.answered_at, at), at) ELSE t.answered_at END,
        ended_at = CASE WHEN what = 'ended' THEN coalesce(t.ended_at, at) ELSE t.ended_at END,
        -- Whose it is says who answers it, or whose telephone rings before anybody has.
        extension = CASE WHEN what = 'answered' OR t.answered_at IS NULL THEN coalesce(ext, t.extension)
                         ELSE t.extension END,
        account_id = CASE WHEN what = 'answered' OR t.answered_at IS NULL THEN coalesce(person, t.account_id, asked.account_id)
                          ELSE t.account_id END,
        rung = CASE WHEN person IS NULL OR person = ANY (t.rung) THEN t.rung ELSE t.rung || person END
    RETURNING t.* INTO heard;
    IF heard.ended_at IS NOT NULL AND heard.patient_id IS NOT NULL AND heard.call_id IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('join_telephone:' || heard.patient_id, 0));
        UPDATE telephone_call t SET call_id = r.call_id, joined_by = 'ring' FROM telephone_ring r
        WHERE t.telephone_call_id = heard.telephone_call_id AND r.ring_id = t.ring_id AND r.call_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM telephone_call x WHERE x.call_id = r.call_id);
        IF NOT FOUND THEN
            PERFORM join_telephone(heard.patient_id);
        END IF;
    END IF;
    RETURN 'new';
END
$$;

-- Kept no longer than it was said: where recordings are, calls that were nobody's, and what was heard of telephone systems.
-- How many recordings of patients.
CREATE FUNCTION end_recordings(moment timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH over AS (UPDATE call_recording r SET state = 'over', reference = NULL, ended_at = moment
                  WHERE r.state = 'kept' AND r.keep_until <= moment RETURNING 1),
         nobodys AS (DELETE FROM call_recording r WHERE r.state = 'waiting' AND r.keep_until <= moment),
         -- Of one whose recording goes now the next sweep takes the call.
         strangers AS (DELETE FROM telephone_call t USING telephone_system s
                       WHERE s.system_id = t.system_id AND t.patient_id IS NULL AND t.started_at <= moment - s.keeps_for
                         AND NOT EXISTS (SELECT FROM call_recording r
                                         WHERE r.telephone_call_id = t.telephone_call_id)),
         old AS (DELETE FROM telephone_event e WHERE e.heard_at < moment - interval '1 day')
    SELECT count(*) FROM over
$$;

REVOKE ALL ON FUNCTION tell_of_telephone(), ask_to_ring(), telephone_pairs(uuid), join_telephone(uuid),
    call_was_on_telephone(), recording_consent_ends(), end_recordings(timestamptz), attribute_recording(telephone_call),
    call_is_somebodys(),
    telephone_hear(uuid, text, timestamptz, timestamptz, integer, text, text, text, text, text, uuid, timestamptz, text,
                   bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION telephone_hear(uuid, text, timestamptz, timestamptz, integer, text, text, text, text, text, uuid,
                                         timestamptz, text, bytea, text) TO pulsepost_console;
GRANT EXECUTE ON FUNCTION telephone_pairs(uuid), join_telephone(uuid) TO pulsepost_console;
GRANT EXECUTE ON FUNCTION end_recordings(timestamptz) TO pulsepost_jobs;

-- Who may do what ----------------------------------------------------------------------------------------------------------

GRANT SELECT ON telephone_system TO pulsepost_console, pulsepost_jobs;
GRANT UPDATE (sealed) ON telephone_system TO pulsepost_jobs;   -- a token that is exchanged for the next
GRANT SELECT, INSERT, UPDATE, DELETE ON telephone_extension TO pulsepost_console;
GRANT SELECT, INSERT (ring_id, patient_id, account_id, system_id, extension, contact_id, number, call_id, asked_at)
    ON telephone_ring TO pulsepost_console;
GRANT SELECT, UPDATE (state, why, remote_id, settled_at, finished_at) ON telephone_ring TO pulsepost_jobs;
GRANT SELECT, UPDATE (patient_id, said_by, call_id, joined_by) ON telephone_call TO pulsepost_console;
GRANT SELECT ON telephone_call TO pulsepost_jobs;
GRANT SELECT, INSERT ON recording_consent TO pulsepost_console;
GRANT SELECT ON call_recording TO pulsepost_console;
GRANT SELECT, UPDATE (attached_at) ON call_recording TO pulsepost_jobs;
GRANT SELECT (call_id, started_at, ended_at, outcome) ON call TO pulsepost_jobs;
GRANT SELECT, INSERT ON outside_text TO pulsepost_console;
GRANT SELECT ON outside_text TO pulsepost_jobs;

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{telephone_ring, telephone_call, call_recording}'::regclass[]) t;
SELECT guard_patients('recording_consent');
-- A call rings for whoever's telephone it is, whether the number is one of their patients or not: the row then says of the
-- patient what row security shows them elsewhere. Of a call of nobody's they may say whose it was, among their own.
CREATE POLICY rung ON telephone_call FOR SELECT TO pulsepost_console
    USING ((SELECT a.account_id FROM acting_account a WHERE a.role IN ('nurse', 'lead_nurse', 'doctor')) = ANY (rung));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY "said by whom it rang" ON telephone_call FOR UPDATE TO pulsepost_console
        USING (patient_id IS NULL AND (SELECT a.account_id FROM acting_account a
                                       WHERE a.role IN (''nurse'', ''lead_nurse'', ''doctor'')) = ANY (rung))
        WITH CHECK (%s)', in_care_sql('telephone_call'));
END
$$;
CREATE POLICY "as oneself" ON telephone_ring AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (account_id = (SELECT a.account_id FROM acting_account a
                              WHERE a.role IN ('nurse', 'lead_nurse', 'doctor')));
CREATE POLICY "as oneself" ON recording_consent AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (entered_by = (SELECT a.account_id FROM acting_account a));
-- Of jobs the call log is row-secured, too.
CREATE POLICY "pulsepost_jobs for all patients" ON call FOR SELECT TO pulsepost_jobs USING (true);
