-- Follow-up: reaching patients, questionnaires, discharge and follow-ups, reminders, advice.

-- Pages of the staff (0011_notifications.sql): on a day of follow-ups of theirs that are due, once, until they took one up.
ALTER TABLE notification
    ADD COLUMN day date,                         -- on the site's calendar
    ADD UNIQUE (day, account_id),
    DROP CONSTRAINT notification_subject_check,
    ADD CHECK (subject IN ('case', 'duty_gap', 'follow_up', 'test')),
    ADD CHECK ((subject = 'follow_up') = (day IS NOT NULL)),
    DROP CONSTRAINT notification_confirmed_by_check,
    ADD CHECK (confirmed_by IN ('answer', 'receipt', 'console', 'acknowledged', 'code', 'taken'));

-- Reaching a patient -----------------------------------------------------------------------------------------------------

-- How a patient wants to be reached: the newest row speaks, none means the defaults of cloud.crm.reach. Quiet hours are of
-- the clock on the patient's wall; two equal times: none.
CREATE TABLE patient_reach (
    reach_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id   uuid NOT NULL REFERENCES patient,
    quiet_from   time NOT NULL,
    quiet_until  time NOT NULL,
    language     text NOT NULL CHECK (language IN ('en', 'ru', 'zh')),
    set_by       uuid NOT NULL REFERENCES account,
    set_at       timestamptz NOT NULL
);
CREATE INDEX ON patient_reach (patient_id, reach_no DESC);

-- Addresses outside our own pages, in the order in which they are tried.
CREATE TABLE patient_channel (
    channel_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    channel     text NOT NULL CHECK (channel IN ('email', 'sms', 'webhook')),
    address     text NOT NULL CHECK (length(address) BETWEEN 1 AND 254),
    place       integer NOT NULL,                -- the lowest first
    added_by    uuid NOT NULL REFERENCES account,
    added_at    timestamptz NOT NULL,
    removed_by  uuid REFERENCES account,
    removed_at  timestamptz,                     -- kept for the log of what was sent there
    UNIQUE (channel_id, patient_id),
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE UNIQUE INDEX patient_channel_once ON patient_channel (patient_id, channel, address) WHERE removed_at IS NULL;

-- What the patient said of each way: never changed, the newest speaks. Nothing is sent where nothing was said.
CREATE TABLE channel_consent (
    decision_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id   uuid NOT NULL REFERENCES patient,
    channel      text NOT NULL CHECK (channel IN ('email', 'sms', 'webhook')),
    decision     text NOT NULL CHECK (decision IN ('given', 'withdrawn')),
    method       text NOT NULL CHECK (method IN ('told', 'screen')),   -- to somebody of the care team, or on their own page
    entered_by   uuid NOT NULL REFERENCES account,
    entered_at   timestamptz NOT NULL
);
CREATE INDEX ON channel_consent (patient_id, channel, decision_no DESC);

-- That there is something for a patient: once for each reason. It says of what kind it is to us alone; what leaves is the
-- same sentence for all, with a link. 'page': it stands on the patient's own page, and no way outside was open.
CREATE TABLE outside_message (
    message_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    what        text NOT NULL CHECK (what IN ('message', 'questionnaire', 'measure', 'nudge', 'medication', 'visit',
                                             'advice', 'article', 'event', 'answer', 'survey',
                                             'complaint')),
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),    -- ids and times, never a name or a value
    subject_id  uuid,
    created_at  timestamptz NOT NULL,
    until       timestamptz,                     -- of no use later; NULL: always
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'page', 'failed', 'withdrawn')),
    next_at     timestamptz,                     -- when the delivery looks at it next
    ended_at    timestamptz,
    why         text CHECK (length(why) <= 200),
    UNIQUE (patient_id, reason),
    UNIQUE (message_id, patient_id),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL) AND (state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX outside_message_due ON outside_message (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX ON outside_message (patient_id, created_at DESC);
CREATE INDEX outside_message_visits ON outside_message (until) WHERE what = 'visit';

-- Each try, written before anything leaves (as notification_attempt in 0011).
CREATE TABLE outside_attempt (
    attempt_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id       uuid NOT NULL,
    patient_id       uuid NOT NULL REFERENCES patient,
    channel          text NOT NULL,
    channel_id       uuid,                       -- NULL: printed, for development
    idempotency_key  uuid NOT NULL,
    began_at         timestamptz NOT NULL,
    ended_at         timestamptz,
    outcome          text NOT NULL DEFAULT 'sending' CHECK (outcome IN ('sending', 'sent', 'again', 'never', 'lost')),
    provider_id      text CHECK (length(provider_id) <= 200),
    detail           text CHECK (length(detail) <= 200),
    FOREIGN KEY (message_id, patient_id) REFERENCES outside_message (message_id, patient_id),
    FOREIGN KEY (channel_id, patient_id) REFERENCES patient_channel (channel_id, patient_id)
);
CREATE INDEX ON outside_attempt (message_id, attempt_id);

CREATE FUNCTION wake_outside(message_id uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wake('deliver_outside', 'deliver_outside:' || m.message_id,
                jsonb_build_object('message_id', m.message_id), wake_outside.at)
    FROM outside_message m WHERE m.message_id = wake_outside.message_id
$$;

-- A message of the care team stands in the thread, and the patient hears that there is something.
CREATE FUNCTION tell_outside_of_message() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made uuid;
BEGIN
    IF is_training(NEW.patient_id) THEN
        RETURN NULL;
    END IF;
    INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, next_at)
        VALUES (NEW.patient_id, 'message', 'message:' || NEW.message_id, NEW.message_id, NEW.written_at, NEW.written_at)
        ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id INTO made;
    PERFORM wake_outside(made, NEW.written_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_outside_of_message AFTER INSERT ON patient_message FOR EACH ROW WHEN (NOT NEW.from_patient)
    EXECUTE FUNCTION tell_outside_of_message();

REVOKE ALL ON FUNCTION wake_outside(uuid, timestamptz), tell_outside_of_message() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake_outside(uuid, timestamptz) TO pulsepost_console, pulsepost_jobs;

GRANT SELECT ON patient_reach, patient_channel, channel_consent, outside_message, outside_attempt
    TO pulsepost_console, pulsepost_jobs;
GRANT INSERT ON patient_reach, channel_consent TO pulsepost_console;
GRANT INSERT (patient_id, channel, address, place, added_by, added_at), UPDATE (place, removed_by, removed_at) ON patient_channel
    TO pulsepost_console;
GRANT INSERT (patient_id, what, reason, subject_id, created_at, until, next_at) ON outside_message
    TO pulsepost_console, pulsepost_jobs;
GRANT UPDATE (state, next_at, ended_at, why) ON outside_message TO pulsepost_jobs;
GRANT INSERT, UPDATE (ended_at, outcome, provider_id, detail) ON outside_attempt TO pulsepost_jobs;
-- In which language, and whether there is a page of their own to find it on; of a patient still no name.
GRANT SELECT (language) ON patient TO pulsepost_jobs;
GRANT SELECT (patient_id) ON account TO pulsepost_jobs;

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{patient_reach, patient_channel, channel_consent, outside_message,
    outside_attempt}'::regclass[]) t;
-- What is sent to an address lets whoever reads it answer: it is the care team's to write, not for who has broken the glass
-- (as invitations are, 0016_access.sql).
CREATE POLICY "by the care team" ON patient_channel AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (EXISTS (SELECT FROM acting_care c WHERE c.patient_id = patient_channel.patient_id));
-- Patients say for themselves how they want to be reached.
CREATE POLICY chooses ON patient_reach FOR INSERT TO pulsepost_console
    WITH CHECK (set_by = (SELECT a.account_id FROM acting_account a)
                AND patient_id = (SELECT a.patient_id FROM acting_account a));
CREATE POLICY decides ON channel_consent FOR INSERT TO pulsepost_console
    WITH CHECK (method = 'screen' AND entered_by = (SELECT a.account_id FROM acting_account a)
                AND patient_id = (SELECT a.patient_id FROM acting_account a));
-- Whether it was read meanwhile: then nobody needs to be told. Never what it says.
GRANT SELECT (message_id, patient_id, read_at) ON patient_message TO pulsepost_jobs;
CREATE POLICY "pulsepost_jobs for all patients" ON patient_message TO pulsepost_jobs USING (true) WITH CHECK (true);

-- Questionnaires -----------------------------------------------------------------------------------------------------------

-- Which version of which questionnaire (data of the software, cloud/crm/questionnaires) a patient was asked to fill in.
CREATE TABLE questionnaire_sent (
    sent_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    questionnaire  text NOT NULL,
    version        integer NOT NULL,
    sent_by        uuid REFERENCES account,      -- NULL: a follow-up that was due
    sent_at        timestamptz NOT NULL,
    until          timestamptz NOT NULL CHECK (until > sent_at),
    withdrawn_at   timestamptz,
    withdrawn_by   uuid REFERENCES account,
    UNIQUE (sent_id, patient_id),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
);
CREATE INDEX ON questionnaire_sent (patient_id, sent_at DESC);

-- What was answered, once: {"question": "answer"}. ``entered_by`` NULL: whoever had the link.
CREATE TABLE questionnaire_answer (
    answer_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sent_id      uuid NOT NULL UNIQUE,
    patient_id   uuid NOT NULL REFERENCES patient,
    answers      jsonb NOT NULL,
    entered_by   uuid REFERENCES account,
    answered_at  timestamptz NOT NULL,
    judged_at    timestamptz,                    -- what they ask for is in a case, if it is anything
    FOREIGN KEY (sent_id, patient_id) REFERENCES questionnaire_sent (sent_id, patient_id)
);
CREATE INDEX ON questionnaire_answer (patient_id, answered_at DESC);
CREATE INDEX questionnaire_answer_waiting ON questionnaire_answer (answered_at) WHERE judged_at IS NULL;

-- A way to one questionnaire of one patient, without signing in: a hash alone. Each try of sending has its own.
CREATE TABLE questionnaire_link (
    token_hash  bytea PRIMARY KEY,
    sent_id     uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    made_at     timestamptz NOT NULL,
    FOREIGN KEY (sent_id, patient_id) REFERENCES questionnaire_sent (sent_id, patient_id)
);
CREATE INDEX ON questionnaire_link (sent_id);

-- Who asked for links that there are none of, by network address (IPv6 by its /64): after twenty in an hour nothing is said
-- of further ones (a proposal). A link that is good is answered all the same: many share an address, and nobody guesses
-- 256 bits. Where the address is unknown nobody is counted.
CREATE TABLE questionnaire_miss (
    source  text NOT NULL CHECK (length(source) <= 100),
    at      timestamptz NOT NULL
);
CREATE INDEX ON questionnaire_miss (source, at);
CREATE INDEX ON questionnaire_miss (at);

CREATE FUNCTION wake_answers(at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wake('judge_answers', 'judge_answers', '{}', at)
$$;

-- Somebody asked for a link that there is none of: whether this address did so too often.
CREATE FUNCTION link_missed(asks text, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF asks = '' THEN
        RETURN false;
    END IF;
    IF (SELECT count(*) FROM questionnaire_miss m WHERE m.source = asks AND m.at > link_missed.at - interval '1 hour') >= 20
    THEN
        RETURN true;
    END IF;
    DELETE FROM questionnaire_miss m WHERE m.at <= link_missed.at - interval '1 hour';
    INSERT INTO questionnaire_miss (source, at) VALUES (asks, link_missed.at);
    RETURN false;
END
$$;

-- What a link leads to, and nothing of whom: 'open', 'answered', 'over', 'unknown' or 'throttled'.
CREATE FUNCTION open_questionnaire(hash bytea, asks text, at timestamptz)
    RETURNS TABLE (standing text, questionnaire text, version integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = s.sent_id) THEN 'answered'
                WHEN s.withdrawn_at IS NOT NULL OR s.until <= open_questionnaire.at THEN 'over' ELSE 'open' END,
           s.questionnaire, s.version
    FROM questionnaire_link l JOIN questionnaire_sent s USING (sent_id) WHERE l.token_hash = hash;
    IF NOT FOUND THEN
        RETURN QUERY SELECT CASE WHEN link_missed(asks, open_questionnaire.at) THEN 'throttled' ELSE 'unknown' END,
                            NULL::text, NULL::integer;
    END IF;
END
$$;

-- The answers of whoever has the link, once; 'answered' where there were some before.
CREATE FUNCTION answer_questionnaire(hash bytea, asks text, said jsonb, at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands text;
BEGIN
    SELECT o.standing INTO stands FROM open_questionnaire(hash, asks, at) o;
    IF stands = 'open' THEN
        INSERT INTO questionnaire_answer (sent_id, patient_id, answers, answered_at)
            SELECT l.sent_id, l.patient_id, said, answer_questionnaire.at FROM questionnaire_link l WHERE l.token_hash = hash
            ON CONFLICT (sent_id) DO NOTHING;
        stands := CASE WHEN FOUND THEN 'taken' ELSE 'answered' END;
        PERFORM wake_answers(at);
    END IF;
    RETURN stands;
END
$$;
REVOKE ALL ON FUNCTION wake_answers(timestamptz), link_missed(text, timestamptz),
    open_questionnaire(bytea, text, timestamptz), answer_questionnaire(bytea, text, jsonb, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake_answers(timestamptz), open_questionnaire(bytea, text, timestamptz),
    answer_questionnaire(bytea, text, jsonb, timestamptz) TO pulsepost_console;

-- Whoever takes part no longer is asked nothing any more: nobody would see what they answer.
CREATE FUNCTION nobody_is_asked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE questionnaire_sent s SET withdrawn_at = NEW.ended_at, withdrawn_by = NEW.ended_by
    WHERE s.patient_id = NEW.patient_id AND s.withdrawn_at IS NULL
      AND NOT EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = s.sent_id);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nobody_is_asked() FROM PUBLIC;
CREATE TRIGGER nobody_is_asked AFTER UPDATE OF ended_at ON participation FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION nobody_is_asked();

GRANT SELECT ON questionnaire_sent, questionnaire_answer TO pulsepost_console, pulsepost_jobs;
GRANT INSERT (patient_id, questionnaire, version, sent_by, sent_at, until) ON questionnaire_sent
    TO pulsepost_console, pulsepost_jobs;
GRANT UPDATE (withdrawn_at, withdrawn_by) ON questionnaire_sent TO pulsepost_console;
GRANT INSERT (sent_id, patient_id, answers, entered_by, answered_at) ON questionnaire_answer TO pulsepost_console;
GRANT UPDATE (judged_at) ON questionnaire_answer TO pulsepost_jobs;
GRANT INSERT ON questionnaire_link TO pulsepost_jobs;

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{questionnaire_sent, questionnaire_answer}'::regclass[]) t;
SELECT guard('questionnaire_link', '{pulsepost_jobs}');
-- Everybody answers as who they are: the patient for themselves, the care team as it was told on the telephone.
CREATE POLICY "as oneself" ON questionnaire_answer AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (entered_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY answers ON questionnaire_answer FOR INSERT TO pulsepost_console
    WITH CHECK (patient_id = (SELECT a.patient_id FROM acting_account a));

-- Follow-ups ---------------------------------------------------------------------------------------------------------------

-- In hospital: nothing reminds the patient meanwhile.
CREATE TABLE hospital_stay (
    stay_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    since       timestamptz NOT NULL,
    until       timestamptz CHECK (until > since),
    entered_by  uuid NOT NULL REFERENCES account,
    ended_by    uuid REFERENCES account
);
CREATE UNIQUE INDEX hospital_stay_open ON hospital_stay (patient_id) WHERE until IS NULL;

-- What the hospital wrote when a patient left, as far as it asks for something afterwards.
CREATE TABLE discharge_summary (
    summary_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    discharged_on  date NOT NULL,                -- on the patient's calendar
    about          text NOT NULL CHECK (length(btrim(about)) BETWEEN 1 AND 500),
    entered_by     uuid NOT NULL REFERENCES account,
    entered_at     timestamptz NOT NULL,
    UNIQUE (summary_id, patient_id)
);
-- The same one sent again is the one that is there.
CREATE UNIQUE INDEX discharge_summary_once ON discharge_summary (patient_id, discharged_on, about);
CREATE INDEX ON discharge_summary (patient_id, discharged_on DESC);

CREATE TABLE follow_up (
    follow_up_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    summary_id     uuid,                         -- by whose instruction
    template       text,                         -- by which plan: id and version
    what           text NOT NULL CHECK (what IN ('call', 'questionnaire', 'visit', 'check')),
    questionnaire  text,
    note           text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    due_on         date NOT NULL,                -- on the patient's calendar
    owner          uuid REFERENCES account,      -- NULL: whoever of the care team comes first
    made_by        uuid REFERENCES account,      -- NULL: the patient, who asked for a call after a survey
    made_at        timestamptz NOT NULL,
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'skipped')),
    why            text NOT NULL DEFAULT '' CHECK (length(why) <= 500),
    ended_by       uuid REFERENCES account,      -- NULL where the patient answered what was sent
    ended_at       timestamptz,
    reminded_at    timestamptz,                  -- what follows of itself when it is due has followed
    owner_told_at  timestamptz,                  -- that it is due
    sent_id        uuid,                         -- the questionnaire that was sent
    FOREIGN KEY (summary_id, patient_id) REFERENCES discharge_summary (summary_id, patient_id),
    FOREIGN KEY (sent_id, patient_id) REFERENCES questionnaire_sent (sent_id, patient_id),
    CHECK ((what = 'questionnaire') = (questionnaire IS NOT NULL)),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK (state <> 'skipped' OR length(btrim(why)) > 0)
);
CREATE INDEX ON follow_up (patient_id, due_on);
-- A form that is sent twice asks for nothing twice.
CREATE UNIQUE INDEX follow_up_once ON follow_up (patient_id, due_on, what, questionnaire, note, summary_id, template)
    NULLS NOT DISTINCT WHERE state = 'open' AND made_by IS NOT NULL;
CREATE INDEX follow_up_open ON follow_up (due_on) WHERE state = 'open';

-- A number by which somebody else knows a patient: of a hospital, an insurance. ``system``: a URI of whoever gives them.
CREATE TABLE patient_identifier (
    identifier_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    system         text NOT NULL CHECK (length(system) BETWEEN 1 AND 200),
    value          text NOT NULL CHECK (length(value) BETWEEN 1 AND 100),
    added_by       uuid NOT NULL REFERENCES account,
    added_at       timestamptz NOT NULL,
    removed_by     uuid REFERENCES account,
    removed_at     timestamptz,
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE UNIQUE INDEX patient_identifier_once ON patient_identifier (system, value) WHERE removed_at IS NULL;
CREATE INDEX ON patient_identifier (patient_id);

-- Of whose numbers somebody asked, as hashes, for an hour: a document that is opened again asks nothing new.
CREATE TABLE identifier_look_up (
    account_id  uuid NOT NULL REFERENCES account,
    number      bytea NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, number)
);

-- Whose a number is: 'this' patient's, 'another' one's (nobody is told whose), or nobody's as far as we know. Whether a
-- number that is not the patient's is somebody's here is told of thirty an hour, as when patients are taken in
-- (0019_enrolling.sql); of more 'too_often'.
CREATE FUNCTION whose_identifier(of_patient uuid, of_system text, of_value text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person uuid := whoever_takes_in();
    asked bytea := sha256(convert_to(of_system || E'\n' || of_value, 'UTF8'));
    holder uuid;
BEGIN
    SELECT i.patient_id INTO holder FROM patient_identifier i
    WHERE i.system = of_system AND i.value = of_value AND i.removed_at IS NULL;
    IF holder = of_patient THEN
        RETURN 'this';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('identifier_look_up:' || person, 0));
    DELETE FROM identifier_look_up l WHERE l.account_id = person AND l.at <= now() - interval '1 hour';
    IF person IS NULL OR NOT EXISTS (SELECT FROM identifier_look_up l WHERE l.account_id = person AND l.number = asked)
       AND (SELECT count(*) FROM identifier_look_up l WHERE l.account_id = person) >= 30 THEN
        RETURN 'too_often';
    END IF;
    INSERT INTO identifier_look_up (account_id, number) VALUES (person, asked) ON CONFLICT DO NOTHING;
    RETURN CASE WHEN holder IS NULL THEN 'unknown' ELSE 'another' END;
END
$$;
REVOKE ALL ON FUNCTION whose_identifier(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION whose_identifier(uuid, text, text) TO pulsepost_console;

-- A discharge document (FHIR R4) as it came, whatever of it can be read (cloud/crm/discharges). The same one is kept once.
CREATE TABLE discharge_document (
    document_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id   uuid NOT NULL REFERENCES patient,
    octets       bytea NOT NULL CHECK (length(octets) BETWEEN 1 AND 2000000),
    digest       bytea NOT NULL GENERATED ALWAYS AS (sha256(octets)) STORED,
    state        text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'taken', 'set_aside')),
    received_by  uuid NOT NULL REFERENCES account,
    received_at  timestamptz NOT NULL,
    summary_id   uuid,
    ended_by     uuid REFERENCES account,
    ended_at     timestamptz,
    why          text NOT NULL DEFAULT '' CHECK (length(why) <= 500),
    UNIQUE (patient_id, digest),
    FOREIGN KEY (summary_id, patient_id) REFERENCES discharge_summary (summary_id, patient_id),
    CHECK ((state = 'received') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((state = 'taken') = (summary_id IS NOT NULL)),
    CHECK (state <> 'set_aside' OR length(btrim(why)) > 0)
);

GRANT SELECT ON patient_identifier, discharge_document TO pulsepost_console;
GRANT INSERT (patient_id, system, value, added_by, added_at), UPDATE (removed_by, removed_at) ON patient_identifier
    TO pulsepost_console;
GRANT INSERT (patient_id, octets, received_by, received_at), UPDATE (state, summary_id, ended_by, ended_at, why)
    ON discharge_document TO pulsepost_console;
SELECT guard_patients(t) FROM unnest('{patient_identifier, discharge_document}'::regclass[]) t;

GRANT SELECT, INSERT ON hospital_stay, discharge_summary TO pulsepost_console;
GRANT UPDATE (until, ended_by) ON hospital_stay TO pulsepost_console;
GRANT SELECT, INSERT (patient_id, summary_id, template, what, questionnaire, note, due_on, owner, made_by, made_at),
    UPDATE (state, why, ended_by, ended_at, owner) ON follow_up TO pulsepost_console;
GRANT SELECT ON hospital_stay TO pulsepost_jobs;
GRANT SELECT (follow_up_id, patient_id, what, questionnaire, due_on, owner, state, reminded_at, owner_told_at, sent_id),
    UPDATE (state, ended_at, reminded_at, owner_told_at, sent_id) ON follow_up TO pulsepost_jobs;
GRANT SELECT (ended_at) ON participation TO pulsepost_jobs;
-- Of why somebody left the jobs need to know this alone: nothing leaves for somebody who has died.
CREATE FUNCTION has_died(of_patient uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM participation w WHERE w.patient_id = of_patient AND w.is_newest AND w.end_reason = 'died')
$$;
REVOKE ALL ON FUNCTION has_died(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_died(uuid) TO pulsepost_jobs;

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{hospital_stay, follow_up}'::regclass[]) t;
SELECT guard_patients('discharge_summary');

-- Reminders ----------------------------------------------------------------------------------------------------------------

-- Whether a patient is reminded of this kind: the newest row speaks; none: of a measurement that was missed, before a nurse
-- is asked, and of nothing else.
CREATE TABLE reminder_choice (
    choice_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  uuid NOT NULL REFERENCES patient,
    what        text NOT NULL CHECK (what IN ('measure', 'nudge', 'medication', 'visit')),
    is_on       boolean NOT NULL,
    set_by      uuid NOT NULL REFERENCES account,
    set_at      timestamptz NOT NULL
);
CREATE INDEX ON reminder_choice (patient_id, what, choice_no DESC);

ALTER TABLE medication ADD UNIQUE (medication_id, patient_id);

-- When a medication is to be taken, on the patient's clock.
CREATE TABLE medication_time (
    time_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id     uuid NOT NULL REFERENCES patient,
    medication_id  uuid NOT NULL,
    at             time NOT NULL,
    set_by         uuid NOT NULL REFERENCES account,
    set_at         timestamptz NOT NULL,
    ended_at       timestamptz,
    UNIQUE (time_id, patient_id),
    FOREIGN KEY (medication_id, patient_id) REFERENCES medication (medication_id, patient_id)
);
CREATE INDEX ON medication_time (patient_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX medication_time_once ON medication_time (medication_id, at) WHERE ended_at IS NULL;

-- What the patient says to have taken, for which day of their calendar; as it was told.
CREATE TABLE medication_taken (
    time_id     uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    day         date NOT NULL,
    taken_at    timestamptz NOT NULL,
    PRIMARY KEY (time_id, day),
    FOREIGN KEY (time_id, patient_id) REFERENCES medication_time (time_id, patient_id)
);
CREATE INDEX ON medication_taken (patient_id, day DESC);

GRANT SELECT ON reminder_choice, medication_time, medication_taken TO pulsepost_console, pulsepost_jobs;
GRANT INSERT ON reminder_choice, medication_time, medication_taken TO pulsepost_console;
GRANT UPDATE (ended_at) ON medication_time TO pulsepost_console;
-- From when and until when it is taken; never which drug it is.
GRANT SELECT (medication_id, patient_id, since, until) ON medication TO pulsepost_jobs;
CREATE POLICY "pulsepost_jobs for all patients" ON medication TO pulsepost_jobs USING (true) WITH CHECK (true);

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{reminder_choice, medication_time, medication_taken}'::regclass[]) t;
CREATE POLICY takes ON medication_taken FOR INSERT TO pulsepost_console
    WITH CHECK (patient_id = (SELECT a.patient_id FROM acting_account a));

-- Advice -------------------------------------------------------------------------------------------------------------------

-- A piece of advice, in three languages, with the rule by which it is given. A version never changes: one that is to say
-- something else is another. Nobody approves what they wrote themselves.
CREATE TABLE advice_snippet (
    snippet_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (name ~ '^[a-z0-9_]{1,60}$'),
    version       integer NOT NULL,
    measure       text NOT NULL CHECK (measure IN ('glucose', 'systolic', 'diastolic')),
    relation      text NOT NULL CHECK (relation IN ('at_or_above', 'below')),
    bound         numeric NOT NULL CHECK (bound > 0),
    unit          text NOT NULL CHECK (unit IN ('mm[Hg]', 'mg/dL', 'mmol/L')),
    texts         jsonb NOT NULL,                -- {"en": …, "ru": …, "zh": …}
    article       text CHECK (article ~ '^[a-z0-9_]{1,60}$'),  -- where more is to be read: a name of article (0029)
    written_by    uuid NOT NULL REFERENCES account,
    written_at    timestamptz NOT NULL,
    approved_by   uuid REFERENCES account,
    approved_at   timestamptz,
    withdrawn_by  uuid REFERENCES account,
    withdrawn_at  timestamptz,
    UNIQUE (name, version),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK (approved_by <> written_by)
);

-- What was given to whom because of which figure, and when it was first on a screen of theirs.
CREATE TABLE advice_given (
    given_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    snippet_id  uuid NOT NULL REFERENCES advice_snippet,
    mean        numeric NOT NULL,
    unit        text NOT NULL,                   -- of the readings
    readings    integer NOT NULL,
    given_at    timestamptz NOT NULL,
    read_at     timestamptz
);
CREATE INDEX ON advice_given (patient_id, given_at DESC);

GRANT SELECT ON advice_snippet, advice_given TO pulsepost_console, pulsepost_jobs;
GRANT INSERT (name, version, measure, relation, bound, unit, texts, article, written_by, written_at),
    UPDATE (approved_by, approved_at, withdrawn_by, withdrawn_at) ON advice_snippet TO pulsepost_console;
GRANT UPDATE (read_at) ON advice_given TO pulsepost_console;
GRANT INSERT ON advice_given TO pulsepost_jobs;
SELECT guard_patients('advice_given', '{pulsepost_jobs}');
DO $$
BEGIN
    EXECUTE format('CREATE POLICY read ON advice_given FOR UPDATE TO pulsepost_console USING (%s)',
                   oneself_sql('advice_given'));
END
$$;
