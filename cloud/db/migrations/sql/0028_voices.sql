-- Voices: surveys, complaints and suggestions, and the themes that they share with audits.

-- Surveys ------------------------------------------------------------------------------------------------------------------

-- Whether and when is asked after what: the newest row speaks, none: nobody is asked. Of the staff ``after_days`` is how
-- often, and the last two mean nothing.
CREATE TABLE survey_rule (
    rule_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('contact', 'discharge', 'enrolment', 'staff')),
    is_on       boolean NOT NULL,
    after_days  integer NOT NULL CHECK (after_days BETWEEN 0 AND 365),
    percent     integer NOT NULL CHECK (percent BETWEEN 1 AND 100),     -- of those about whom it could be asked
    apart_days  integer NOT NULL CHECK (apart_days BETWEEN 1 AND 365),  -- no patient is asked again so soon, whatever about
    set_by      uuid NOT NULL REFERENCES account,
    set_at      timestamptz NOT NULL,
    CHECK (kind <> 'staff' OR after_days >= 30)
);
CREATE INDEX ON survey_rule (kind, rule_no DESC);

-- What a patient said about being asked at all: the newest row speaks, none: they may be.
CREATE TABLE survey_choice (
    choice_no   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  uuid NOT NULL REFERENCES patient,
    wants       boolean NOT NULL,
    method      text NOT NULL CHECK (method IN ('told', 'screen', 'link')),
    set_by      uuid REFERENCES account,         -- NULL: by the link
    set_at      timestamptz NOT NULL,
    CHECK ((method = 'link') = (set_by IS NULL))
);
CREATE INDEX ON survey_choice (patient_id, choice_no DESC);

-- Which version of which survey (data of the software, cloud/crm/surveys) a patient was asked, once about each thing: a call,
-- an appointment, a discharge summary, a participation. ``concerned``: who of the staff it was about.
CREATE TABLE survey_sent (
    sent_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    kind        text NOT NULL CHECK (kind IN ('contact', 'discharge', 'enrolment')),
    about       uuid NOT NULL,
    concerned   uuid REFERENCES account,
    survey      text NOT NULL,
    version     integer NOT NULL,
    sent_at     timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > sent_at),
    UNIQUE (kind, about),
    UNIQUE (sent_id, patient_id)
);
CREATE INDEX ON survey_sent (patient_id, sent_at DESC);

-- A way to one of them without signing in: a hash alone. Each try of sending has its own.
CREATE TABLE survey_link (
    token_hash  bytea PRIMARY KEY,
    sent_id     uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    made_at     timestamptz NOT NULL,
    FOREIGN KEY (sent_id, patient_id) REFERENCES survey_sent (sent_id, patient_id)
);
CREATE INDEX ON survey_link (sent_id);

-- The marks. Of all that work here nobody reads a row: they are counted, five at a time.
CREATE TABLE survey_answer (
    sent_id      uuid PRIMARY KEY,
    place        bigint GENERATED ALWAYS AS IDENTITY,
    patient_id   uuid NOT NULL REFERENCES patient,
    survey       text NOT NULL,
    version      integer NOT NULL,
    answers      jsonb NOT NULL,
    answered_at  timestamptz NOT NULL,
    FOREIGN KEY (sent_id, patient_id) REFERENCES survey_sent (sent_id, patient_id)
);
CREATE INDEX ON survey_answer (survey, version, place);
CREATE INDEX ON survey_answer (patient_id);

-- What was written beside them: it may hold something that a nurse has to know. Not for whom it is about.
CREATE TABLE survey_comment (
    comment_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id  uuid NOT NULL REFERENCES patient,
    kind        text NOT NULL,
    concerned   uuid REFERENCES account,
    body        text NOT NULL CHECK (length(btrim(body)) BETWEEN 1 AND 2000),
    written_at  timestamptz NOT NULL,
    seen_by     uuid REFERENCES account,
    seen_at     timestamptz,
    CHECK ((seen_by IS NULL) = (seen_at IS NULL))
);
CREATE INDEX ON survey_comment (patient_id, written_at DESC);
CREATE INDEX survey_comment_unseen ON survey_comment (written_at) WHERE seen_at IS NULL;

-- The staff is asked in rounds. Who has answered is kept, and what was answered, and nothing that joins the two.
CREATE TABLE staff_round (
    round_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    survey     text NOT NULL,
    version    integer NOT NULL,
    begins_on  date NOT NULL UNIQUE,
    until      timestamptz NOT NULL
);
CREATE TABLE staff_taken (
    round_id    uuid NOT NULL REFERENCES staff_round,
    account_id  uuid NOT NULL REFERENCES account,
    PRIMARY KEY (round_id, account_id)
);
CREATE TABLE staff_answer (
    answer_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    round_id   uuid NOT NULL REFERENCES staff_round,
    answers    jsonb NOT NULL,
    remark     text NOT NULL CHECK (length(remark) <= 2000)
);
CREATE INDEX ON staff_answer (round_id);

-- Complaints ---------------------------------------------------------------------------------------------------------------

-- ``number`` is what people say on the telephone. Terms are worked out by cloud/crm/complaints when it is received, and
-- anew when it is opened again. ``overdue_at``: since then it stands with the lead nurses.
CREATE TABLE complaint (
    complaint_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    patient_id      uuid NOT NULL REFERENCES patient,
    kind            text NOT NULL CHECK (kind IN ('complaint', 'suggestion')),
    way             text NOT NULL CHECK (way IN ('page', 'link', 'telephone', 'survey')),
    body            text NOT NULL CHECK (length(btrim(body)) BETWEEN 1 AND 4000),
    wants_call      boolean NOT NULL,
    harm            boolean NOT NULL,            -- it names harm or an adverse event
    taken_by        uuid REFERENCES account,     -- who wrote it down; NULL: the patient themselves
    received_at     timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'acknowledged', 'in_work', 'answered',
                                                                      'closed', 'reopened')),
    owner           uuid REFERENCES account,
    acknowledge_by  timestamptz NOT NULL,
    answer_by       timestamptz NOT NULL,
    overdue_at      timestamptz,
    outcome         text CHECK (outcome IN ('justified', 'partly', 'not_justified', 'taken_up', 'not_taken_up',
                                            'withdrawn')),
    words           text CHECK (length(btrim(words)) BETWEEN 1 AND 4000),  -- as the patient reads them
    answered_at     timestamptz,
    answered_by     uuid REFERENCES account,
    closed_at       timestamptz,
    closed_by       uuid REFERENCES account,
    changed_at      timestamptz NOT NULL,
    UNIQUE (complaint_id, patient_id),
    CHECK ((way = 'telephone') = (taken_by IS NOT NULL)),
    CHECK ((outcome IS NULL) = (words IS NULL) AND (outcome IS NULL) = (answered_at IS NULL)
           AND (answered_at IS NULL) = (answered_by IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL)),
    CHECK (state NOT IN ('answered', 'closed') OR outcome IS NOT NULL)
);
CREATE INDEX ON complaint (patient_id, received_at DESC);
CREATE INDEX complaint_open ON complaint (answer_by) WHERE state IN ('received', 'acknowledged', 'in_work', 'reopened');

-- Of whom of the staff it speaks. Whoever is here does not see it, does not own it and does not close it.
CREATE TABLE complaint_subject (
    complaint_id  uuid NOT NULL,
    patient_id    uuid NOT NULL REFERENCES patient,
    account_id    uuid NOT NULL REFERENCES account,
    added_by      uuid REFERENCES account,       -- NULL: the patient, or the survey that they answered
    added_at      timestamptz NOT NULL,
    PRIMARY KEY (complaint_id, account_id),
    FOREIGN KEY (complaint_id, patient_id) REFERENCES complaint (complaint_id, patient_id)
);

-- What became of it, in order; never changed.
CREATE TABLE complaint_event (
    event_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    complaint_id  uuid NOT NULL,
    patient_id    uuid NOT NULL REFERENCES patient,
    at            timestamptz NOT NULL,
    account_id    uuid REFERENCES account,       -- NULL: by a link, or of itself
    event         text NOT NULL,
    from_state    text,
    to_state      text NOT NULL,
    note          text NOT NULL DEFAULT '' CHECK (length(note) <= 4000),
    FOREIGN KEY (complaint_id, patient_id) REFERENCES complaint (complaint_id, patient_id)
);
CREATE INDEX ON complaint_event (complaint_id, event_id);

-- A patient was given a link by which to write to us, good once.
CREATE TABLE complaint_ask (
    ask_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient,
    asked_by      uuid NOT NULL REFERENCES account,
    asked_at      timestamptz NOT NULL,
    until         timestamptz NOT NULL CHECK (until > asked_at),
    complaint_id  uuid,                          -- what came of it
    UNIQUE (ask_id, patient_id),
    FOREIGN KEY (complaint_id, patient_id) REFERENCES complaint (complaint_id, patient_id)
);
CREATE TABLE complaint_link (
    token_hash  bytea PRIMARY KEY,
    ask_id      uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    made_at     timestamptz NOT NULL,
    FOREIGN KEY (ask_id, patient_id) REFERENCES complaint_ask (ask_id, patient_id)
);
CREATE INDEX ON complaint_ask (patient_id);
CREATE INDEX ON complaint_link (ask_id);

-- Themes -------------------------------------------------------------------------------------------------------------------

-- A complaint, a comment of a survey or a finding of an audit, and what it is about (data of the software).
CREATE TABLE voice_theme (
    tag_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    theme       text NOT NULL,
    what        text NOT NULL CHECK (what IN ('complaint', 'comment', 'finding')),
    thing_id    uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    happened_at timestamptz NOT NULL,            -- in whose month it counts
    tagged_by   uuid NOT NULL REFERENCES account,
    tagged_at   timestamptz NOT NULL,
    removed_by  uuid REFERENCES account,
    removed_at  timestamptz,
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE UNIQUE INDEX voice_theme_once ON voice_theme (what, thing_id, theme) WHERE removed_at IS NULL;

-- What was done about a theme; it names no patient.
CREATE TABLE theme_action (
    action_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    theme       text NOT NULL,
    body        text NOT NULL CHECK (length(btrim(body)) BETWEEN 1 AND 1000),
    done_on     date NOT NULL,
    written_by  uuid NOT NULL REFERENCES account,
    written_at  timestamptz NOT NULL
);

-- Who sees what ------------------------------------------------------------------------------------------------------------

-- Whoever answers for complaints: lead nurses, whether the patient is theirs or not; where each of them is its subject, the
-- doctors of the patient. Never who is its subject.
CREATE FUNCTION leads_complaint(of_complaint uuid, of_patient uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM acting_account a
        WHERE NOT EXISTS (SELECT FROM complaint_subject s
                          WHERE s.complaint_id = of_complaint AND s.account_id = a.account_id)
          AND (a.role = 'lead_nurse'
               OR a.role = 'doctor' AND EXISTS (SELECT FROM acting_care c WHERE c.patient_id = of_patient)
                  AND NOT EXISTS (SELECT FROM account l WHERE l.role = 'lead_nurse' AND l.disabled_at IS NULL
                                  AND NOT EXISTS (SELECT FROM complaint_subject s WHERE s.complaint_id = of_complaint
                                                  AND s.account_id = l.account_id))))
$$;
CREATE FUNCTION is_complaint_about(of_complaint uuid, of_account uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM complaint_subject s
                   WHERE s.complaint_id = of_complaint AND s.account_id = of_account)
$$;

-- Whose voice it is: of patients whom somebody does not care for, but whose complaint or comment they are to see to.
CREATE VIEW voice_patient WITH (security_barrier) AS
    SELECT p.patient_id, p.display_name, p.time_zone, m.is_mine AS in_care,
           EXISTS (SELECT FROM account x WHERE x.patient_id = p.patient_id AND x.disabled_at IS NULL) AS has_page
    FROM patient p
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM acting_care c WHERE c.patient_id = p.patient_id)
                            OR EXISTS (SELECT FROM acting_glass g WHERE g.patient_id = p.patient_id) AS is_mine) m
    WHERE m.is_mine
       OR EXISTS (SELECT FROM acting_account a, complaint c WHERE c.patient_id = p.patient_id AND a.role <> 'patient'
                  AND (a.role = 'lead_nurse' OR c.owner = a.account_id OR c.taken_by = a.account_id)
                  AND NOT is_complaint_about(c.complaint_id, a.account_id))
       OR EXISTS (SELECT FROM acting_account a, survey_comment s WHERE s.patient_id = p.patient_id
                  AND a.role = 'lead_nurse' AND s.concerned IS DISTINCT FROM a.account_id);

-- Nobody owns, answers or closes what is about themselves, whichever of the two is written first.
CREATE FUNCTION keep_subjects_out() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM complaint_subject s WHERE s.complaint_id = NEW.complaint_id AND (s.account_id = NEW.owner
               OR s.account_id = NEW.closed_by AND NEW.closed_by IS DISTINCT FROM OLD.closed_by
               OR s.account_id = NEW.answered_by AND NEW.answered_by IS DISTINCT FROM OLD.answered_by)) THEN
        RAISE EXCEPTION 'a complaint is not for whom it is about' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_subjects_out BEFORE UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION keep_subjects_out();

CREATE FUNCTION take_from_subject() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands complaint;
BEGIN
    SELECT * INTO stands FROM complaint c WHERE c.complaint_id = NEW.complaint_id FOR UPDATE;
    IF stands.owner = NEW.account_id THEN
        UPDATE complaint SET owner = NULL WHERE complaint_id = NEW.complaint_id;
        INSERT INTO complaint_event (complaint_id, patient_id, at, account_id, event, from_state, to_state)
            VALUES (NEW.complaint_id, NEW.patient_id, NEW.added_at, NEW.added_by, 'taken_from_subject', stands.state,
                    stands.state);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER take_from_subject AFTER INSERT ON complaint_subject FOR EACH ROW EXECUTE FUNCTION take_from_subject();

-- Writing ------------------------------------------------------------------------------------------------------------------

-- One more complaint with its first event, by whichever way. ``terms``: acknowledge by, answer by.
CREATE FUNCTION keep_complaint(of_patient uuid, of_kind text, by_way text, said text, call_me boolean, harmed boolean,
                               by_account uuid, about uuid, terms timestamptz[], at timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made uuid;
BEGIN
    INSERT INTO complaint (patient_id, kind, way, body, wants_call, harm, taken_by, received_at, acknowledge_by, answer_by,
                           changed_at)
        VALUES (of_patient, of_kind, by_way, said, call_me, harmed,
                CASE WHEN by_way = 'telephone' THEN by_account END, at, terms[1], terms[2], at)
        RETURNING complaint_id INTO made;
    INSERT INTO complaint_event (complaint_id, patient_id, at, account_id, event, to_state)
        VALUES (made, of_patient, at, by_account, 'receive', 'received');
    IF about IS NOT NULL THEN
        INSERT INTO complaint_subject (complaint_id, patient_id, account_id, added_at) VALUES (made, of_patient, about, at);
    END IF;
    RETURN made;
END
$$;

-- By whoever is signed in: the patient for themselves, or whoever cares for them as it was told on the telephone. ``about``
-- somebody of the staff, or NULL. NULL: not theirs to write. The same words within ten minutes are the same complaint:
-- somebody pressed twice.
CREATE FUNCTION file_complaint(of_patient uuid, of_kind text, said text, call_me boolean, harmed boolean, about uuid,
                               terms timestamptz[], at timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person acting_account;
    by_way text;
    made uuid;
BEGIN
    SELECT * INTO person FROM acting_account;
    IF person.account_id IS NULL
       OR about IS NOT NULL AND NOT EXISTS (SELECT FROM account a WHERE a.account_id = about AND a.role <> 'patient') THEN
        RETURN NULL;
    END IF;
    IF person.role = 'patient' AND person.patient_id = of_patient THEN
        by_way := 'page';
    ELSIF EXISTS (SELECT FROM acting_care c WHERE c.patient_id = of_patient)
          OR EXISTS (SELECT FROM acting_glass g WHERE g.patient_id = of_patient) THEN
        by_way := 'telephone';
    ELSE
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('file_complaint ' || of_patient, 0));
    SELECT c.complaint_id INTO made FROM complaint c JOIN complaint_event e USING (complaint_id)
    WHERE c.patient_id = of_patient AND (c.kind, c.way, c.body) = (of_kind, by_way, said)
      AND c.received_at > file_complaint.at - interval '10 minutes'
      AND e.event = 'receive' AND e.account_id = person.account_id;
    RETURN coalesce(made, keep_complaint(of_patient, of_kind, by_way, said, call_me, harmed, person.account_id, about, terms,
                                         at));
END
$$;

-- The patient is not content with what became of it. False: there is nothing of theirs that has been answered.
CREATE FUNCTION reopen_own_complaint(of_complaint uuid, said text, terms timestamptz[], at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person acting_account;
    stands complaint;
BEGIN
    SELECT * INTO person FROM acting_account a WHERE a.role = 'patient';
    SELECT * INTO stands FROM complaint c WHERE c.complaint_id = of_complaint AND c.patient_id = person.patient_id
        AND c.state IN ('answered', 'closed') FOR UPDATE;
    IF stands.complaint_id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE complaint SET state = 'reopened', acknowledge_by = terms[1], answer_by = terms[2], overdue_at = NULL,
        closed_at = NULL, closed_by = NULL, changed_at = at WHERE complaint_id = of_complaint;
    INSERT INTO complaint_event (complaint_id, patient_id, at, account_id, event, from_state, to_state, note)
        VALUES (of_complaint, stands.patient_id, at, person.account_id, 'reopen', stands.state, 'reopened', said);
    RETURN true;
END
$$;

-- How what a link to write by leads to stands: 'open', 'answered', 'over', 'unknown' or 'throttled'.
CREATE FUNCTION open_complaint_link(hash bytea, asks text, at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ask complaint_ask;
BEGIN
    SELECT x.* INTO ask FROM complaint_link l JOIN complaint_ask x USING (ask_id) WHERE l.token_hash = hash;
    IF ask.ask_id IS NULL THEN
        RETURN CASE WHEN link_missed(asks, at) THEN 'throttled' ELSE 'unknown' END;
    END IF;
    RETURN CASE WHEN ask.complaint_id IS NOT NULL THEN 'answered' WHEN ask.until <= at THEN 'over' ELSE 'open' END;
END
$$;
CREATE FUNCTION file_by_link(hash bytea, asks text, of_kind text, said text, call_me boolean, harmed boolean,
                             terms timestamptz[], at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ask complaint_ask;
    stands text;
BEGIN
    stands := open_complaint_link(hash, asks, at);
    IF stands = 'open' THEN
        SELECT x.* INTO ask FROM complaint_link l JOIN complaint_ask x USING (ask_id) WHERE l.token_hash = hash
            FOR UPDATE OF x;
        IF ask.complaint_id IS NOT NULL THEN  -- another request was faster
            RETURN 'answered';
        END IF;
        UPDATE complaint_ask SET complaint_id = keep_complaint(ask.patient_id, of_kind, 'link', said, call_me, harmed, NULL,
                                                               NULL, terms, at)
            WHERE ask_id = ask.ask_id;
        stands := 'taken';
    END IF;
    RETURN stands;
END
$$;

-- An answer stands on the patient's page, and the patient hears that there is something: also where nobody who answers for
-- complaints cares for them.
CREATE FUNCTION tell_outside_of_answer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made uuid;
BEGIN
    IF is_training(NEW.patient_id) THEN
        RETURN NULL;
    END IF;
    INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, until, next_at)
        VALUES (NEW.patient_id, 'complaint', 'complaint:answer:' || NEW.complaint_id || ':' || NEW.answered_at,
                NEW.complaint_id, NEW.answered_at, NEW.answered_at + interval '14 days', NEW.answered_at)
        ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id INTO made;
    PERFORM wake_outside(made, NEW.answered_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_outside_of_answer AFTER UPDATE ON complaint FOR EACH ROW
    WHEN (NEW.answered_at IS NOT NULL AND NEW.answered_at IS DISTINCT FROM OLD.answered_at)
    EXECUTE FUNCTION tell_outside_of_answer();

-- Surveys: what is answered, all of it at once -----------------------------------------------------------------------------

CREATE FUNCTION survey_standing(of_sent survey_sent, at timestamptz) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM survey_answer a WHERE a.sent_id = of_sent.sent_id) THEN 'answered'
                WHEN of_sent.until <= at THEN 'over' ELSE 'open' END
$$;

-- Marks once; what was written to be read by a nurse; and what the patient wants of us: 'complaint' or 'suggestion' with
-- what they wrote, else a call.
CREATE FUNCTION keep_survey_answer(asked survey_sent, said jsonb, written text, wants text, call_me boolean,
                                   harmed boolean, terms timestamptz[], at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands text := survey_standing(asked, at);
BEGIN
    IF stands <> 'open' THEN
        RETURN stands;
    END IF;
    INSERT INTO survey_answer (sent_id, patient_id, survey, version, answers, answered_at)
        VALUES (asked.sent_id, asked.patient_id, asked.survey, asked.version, said, at) ON CONFLICT (sent_id) DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'answered';
    END IF;
    IF wants IN ('complaint', 'suggestion') THEN
        PERFORM keep_complaint(asked.patient_id, wants, 'survey', written, call_me, harmed, NULL, asked.concerned, terms, at);
    ELSE
        IF written <> '' THEN
            INSERT INTO survey_comment (patient_id, kind, concerned, body, written_at)
                VALUES (asked.patient_id, asked.kind, asked.concerned, written, at);
        END IF;
        IF call_me THEN
            INSERT INTO follow_up (patient_id, what, due_on, made_at)
                SELECT asked.patient_id, 'call', (at AT TIME ZONE p.time_zone)::date, at FROM patient p
                WHERE p.patient_id = asked.patient_id;
        END IF;
    END IF;
    RETURN 'taken';
END
$$;
CREATE FUNCTION answer_own_survey(of_sent uuid, said jsonb, written text, wants text, call_me boolean, harmed boolean,
                                  terms timestamptz[], at timestamptz) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT keep_survey_answer(s, said, written, wants, call_me, harmed, terms, at) FROM survey_sent s
    WHERE s.sent_id = of_sent AND s.patient_id = (SELECT a.patient_id FROM acting_account a WHERE a.role = 'patient')
$$;
CREATE FUNCTION open_survey(hash bytea, asks text, at timestamptz)
    RETURNS TABLE (standing text, survey text, version integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked survey_sent;
BEGIN
    SELECT s.* INTO asked FROM survey_link l JOIN survey_sent s USING (sent_id) WHERE l.token_hash = hash;
    IF asked.sent_id IS NULL THEN
        RETURN QUERY SELECT CASE WHEN link_missed(asks, at) THEN 'throttled' ELSE 'unknown' END, NULL::text, NULL::integer;
    ELSE
        RETURN QUERY SELECT survey_standing(asked, at), asked.survey, asked.version;
    END IF;
END
$$;
CREATE FUNCTION answer_survey(hash bytea, asks text, said jsonb, written text, wants text, call_me boolean, harmed boolean,
                              terms timestamptz[], at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands text;
    asked survey_sent;
BEGIN
    SELECT o.standing INTO stands FROM open_survey(hash, asks, at) o;
    IF stands = 'open' THEN
        SELECT s.* INTO asked FROM survey_link l JOIN survey_sent s USING (sent_id) WHERE l.token_hash = hash;
        stands := keep_survey_answer(asked, said, written, wants, call_me, harmed, terms, at);
    END IF;
    RETURN stands;
END
$$;
-- Whoever has the link wants to be asked no more.
CREATE FUNCTION stop_surveys(hash bytea, asks text, at timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands text;
BEGIN
    SELECT o.standing INTO stands FROM open_survey(hash, asks, at) o;
    IF stands IN ('open', 'answered', 'over') THEN
        INSERT INTO survey_choice (patient_id, wants, method, set_at)
            SELECT l.patient_id, false, 'link', stop_surveys.at FROM survey_link l WHERE l.token_hash = hash
              -- Pressed again it is said once.
              AND (SELECT c.wants FROM survey_choice c WHERE c.patient_id = l.patient_id
                   ORDER BY c.choice_no DESC LIMIT 1) IS DISTINCT FROM false;
        RETURN 'stopped';
    END IF;
    RETURN stands;
END
$$;

-- The round that somebody of the staff has not answered yet; none where there is none.
CREATE FUNCTION open_staff_round(at timestamptz) RETURNS SETOF staff_round
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.* FROM staff_round r, acting_account a
    WHERE r.until > at AND a.role <> 'patient'
      AND NOT EXISTS (SELECT FROM staff_taken t WHERE t.round_id = r.round_id AND t.account_id = a.account_id)
    ORDER BY r.begins_on DESC LIMIT 1
$$;
CREATE FUNCTION answer_staff_round(of_round uuid, said jsonb, remarked text, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO staff_taken (round_id, account_id)
        SELECT r.round_id, a.account_id FROM staff_round r, acting_account a
        WHERE r.round_id = of_round AND r.until > at AND a.role <> 'patient' ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO staff_answer (round_id, answers, remark) VALUES (of_round, said, remarked);
        RETURN true;
    END IF;
    RETURN false;
END
$$;

-- Counting -----------------------------------------------------------------------------------------------------------------

-- Marks, five answers at a time in the order in which they came: a batch counts in the month of its last answer, and what has
-- not five yet counts nowhere. So two looks never differ by fewer than five. Months are the site's.
CREATE FUNCTION survey_marks(since timestamptz, until timestamptz)
    RETURNS TABLE (survey text, version integer, month date, question text, answer text, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH placed AS (
        SELECT a.survey, a.version, a.answers, a.answered_at,
               (row_number() OVER (PARTITION BY a.survey, a.version ORDER BY a.place) - 1) / 5 AS batch
        FROM survey_answer a JOIN patient p ON p.patient_id = a.patient_id AND NOT p.training),
    batches AS (
        SELECT x.survey, x.version, x.batch, max(x.answered_at) AS at FROM placed x GROUP BY 1, 2, 3 HAVING count(*) = 5)
    SELECT x.survey, x.version, date_trunc('month', b.at AT TIME ZONE z.zone)::date, e.key, e.value, count(*)
    FROM placed x JOIN batches b USING (survey, version, batch)
    CROSS JOIN (SELECT known_zone(s.time_zone) AS zone FROM duty_site s) z
    CROSS JOIN jsonb_each_text(x.answers) e
    WHERE may_see_figures() AND b.at >= survey_marks.since AND b.at < survey_marks.until
    GROUP BY 1, 2, 3, 4, 5
$$;
-- Of rounds of the staff that are over, with five answers and more.
CREATE FUNCTION staff_marks(since timestamptz, until timestamptz, at timestamptz)
    RETURNS TABLE (survey text, version integer, month date, question text, answer text, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.survey, r.version, date_trunc('month', r.begins_on)::date, e.key, e.value, count(*)
    FROM staff_round r JOIN staff_answer x USING (round_id) CROSS JOIN jsonb_each_text(x.answers) e
    WHERE may_see_figures() AND r.until <= staff_marks.at AND r.until >= staff_marks.since
      AND r.begins_on < staff_marks.until::date
      AND (SELECT count(*) FROM staff_answer y WHERE y.round_id = r.round_id) >= 5
    GROUP BY 1, 2, 3, 4, 5
$$;
-- What was written beside them, in no order.
CREATE FUNCTION staff_remarks(at timestamptz) RETURNS TABLE (begins_on date, remark text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.begins_on, x.remark FROM staff_round r JOIN staff_answer x USING (round_id)
    WHERE may_see_figures() AND r.until <= staff_remarks.at AND x.remark <> ''
      AND (SELECT count(*) FROM staff_answer y WHERE y.round_id = r.round_id) >= 5
    ORDER BY r.begins_on DESC, x.answer_id LIMIT 200
$$;
CREATE FUNCTION voices_by_theme(since timestamptz, until timestamptz)
    RETURNS TABLE (theme text, what text, month date, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.theme, t.what, date_trunc('month', t.happened_at AT TIME ZONE z.zone)::date, count(*)
    FROM voice_theme t JOIN patient p ON p.patient_id = t.patient_id AND NOT p.training
    CROSS JOIN (SELECT known_zone(s.time_zone) AS zone FROM duty_site s) z
    WHERE may_see_figures() AND t.removed_at IS NULL AND t.happened_at >= voices_by_theme.since
      AND t.happened_at < voices_by_theme.until
    GROUP BY 1, 2, 3
$$;

-- The case file ------------------------------------------------------------------------------------------------------------

-- All that belongs to a complaint, for whoever answers for it, whether the patient is theirs or not: rows by part, in order.
-- The caller writes the audit in the same transaction.
CREATE FUNCTION complaint_file(which uuid, since timestamptz, until timestamptz) RETURNS TABLE (part text, data jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH of AS (SELECT c.* FROM complaint c WHERE c.complaint_id = which AND leads_complaint(c.complaint_id, c.patient_id)),
    names AS (SELECT a.account_id, a.display_name || ' (' || a.role || ')' AS name FROM account a)
    SELECT * FROM (
        SELECT 'patient' AS part, jsonb_build_object('patient_id', p.patient_id, 'name', p.display_name,
               'birth_date', p.birth_date, 'time_zone', p.time_zone) AS data
        FROM of JOIN patient p USING (patient_id)
        UNION ALL
        SELECT 'complaint', to_jsonb(of) || jsonb_build_object(
               'taken_by', t.name, 'owner', o.name, 'answered_by', b.name, 'closed_by', d.name)
        FROM of LEFT JOIN names t ON t.account_id = of.taken_by LEFT JOIN names o ON o.account_id = of.owner
        LEFT JOIN names b ON b.account_id = of.answered_by LEFT JOIN names d ON d.account_id = of.closed_by
        UNION ALL
        SELECT 'subjects', jsonb_build_object('name', n.name, 'added_at', s.added_at)
        FROM of JOIN complaint_subject s USING (complaint_id) JOIN names n ON n.account_id = s.account_id
        UNION ALL
        (SELECT 'history', jsonb_build_object('at', e.at, 'event', e.event, 'by', n.name, 'from_state', e.from_state,
                'to_state', e.to_state, 'note', e.note)
         FROM of JOIN complaint_event e USING (complaint_id) LEFT JOIN names n ON n.account_id = e.account_id
         ORDER BY e.event_id)
        UNION ALL
        SELECT 'themes', jsonb_build_object('theme', t.theme, 'tagged_at', t.tagged_at, 'tagged_by', n.name,
               'removed_at', t.removed_at)
        FROM of JOIN voice_theme t ON t.what = 'complaint' AND t.thing_id = of.complaint_id
        JOIN names n ON n.account_id = t.tagged_by
        UNION ALL
        (SELECT 'readings', jsonb_build_object('effective_time', r.effective_time, 'kind', r.kind, 'value', r.value,
                'systolic', r.systolic, 'diastolic', r.diastolic, 'pulse', r.pulse, 'unit', r.unit, 'state', r.state,
                'sample', r.sample, 'reported_time', r.reported_time, 'time_quality', r.time_quality,
                'received_at', r.received_at, 'device_id', r.device_id, 'reading_id', r.reading_id)
         FROM of CROSS JOIN LATERAL (
             SELECT 'glucose' AS kind, g.value, NULL::numeric AS systolic, NULL::numeric AS diastolic,
                    NULL::numeric AS pulse, g.unit, g.state, g.sample, g.reported_time, g.time_quality, g.received_at,
                    g.device_id, g.reading_id, g.effective_time
             FROM glucose_observation g
             WHERE g.patient_id = of.patient_id AND g.effective_time >= since AND g.effective_time < until
             UNION ALL
             SELECT 'ketone', g.value, NULL, NULL, NULL, g.unit, g.state, g.sample, g.reported_time, g.time_quality,
                    g.received_at, g.device_id, g.reading_id, g.effective_time
             FROM ketone_observation g
             WHERE g.patient_id = of.patient_id AND g.effective_time >= since AND g.effective_time < until
             UNION ALL
             SELECT 'blood_pressure', NULL, g.systolic, g.diastolic, g.pulse, g.unit, g.state, g.sample, g.reported_time,
                    g.time_quality, g.received_at, g.device_id, g.reading_id, g.effective_time
             FROM blood_pressure_observation g
             WHERE g.patient_id = of.patient_id AND g.effective_time >= since AND g.effective_time < until) r
         ORDER BY r.effective_time, r.reading_id)
        UNION ALL
        (SELECT 'calls', jsonb_build_object('started_at', k.started_at, 'ended_at', k.ended_at, 'by', n.name,
                'outcome', k.outcome, 'with', CASE WHEN k.contact_id IS NULL THEN 'patient' ELSE 'contact person' END,
                'note', k.note, 'case_id', k.case_id, 'call_id', k.call_id)
         FROM of JOIN call k USING (patient_id) JOIN names n ON n.account_id = k.account_id
         WHERE k.started_at >= since AND k.started_at < until ORDER BY k.started_at)
        UNION ALL
        (SELECT 'messages', jsonb_build_object('written_at', m.written_at, 'by', n.name, 'from_patient', m.from_patient,
                'body', m.body, 'read_at', m.read_at, 'settled_at', m.settled_at)
         FROM of JOIN patient_message m USING (patient_id) JOIN names n ON n.account_id = m.written_by
         WHERE m.written_at >= since AND m.written_at < until ORDER BY m.written_at)
        UNION ALL
        (SELECT 'appointments', jsonb_build_object('starts_at', x.starts_at, 'ends_at', x.ends_at, 'way', x.way,
                'state', x.state, 'with', n.name, 'booked_at', x.booked_at)
         FROM of JOIN appointment x USING (patient_id) JOIN names n ON n.account_id = x.seen_by
         WHERE x.starts_at >= since AND x.starts_at < until ORDER BY x.starts_at)
        UNION ALL
        (SELECT 'cases', jsonb_build_object('opened_at', k.opened_at, 'condition', k.condition, 'tier', k.tier,
                'state', k.state, 'owner', n.name, 'sentence', k.sentence, 'deadline', k.deadline,
                'contact_by', k.contact_by, 'resolved_at', k.resolved_at, 'disposition', k.disposition,
                'resolved_why', k.resolved_why, 'case_id', k.case_id)
         FROM of JOIN alert_case k USING (patient_id) LEFT JOIN names n ON n.account_id = k.owner
         WHERE k.opened_at < until AND coalesce(k.resolved_at, 'infinity') >= since ORDER BY k.opened_at)
        UNION ALL
        (SELECT 'case_events', jsonb_build_object('at', e.at, 'case_id', e.case_id, 'event', e.event, 'by', n.name,
                'from_state', e.from_state, 'to_state', e.to_state, 'data', e.data)
         FROM of JOIN alert_case k USING (patient_id) JOIN case_event e USING (case_id)
         LEFT JOIN names n ON n.account_id = e.actor
         WHERE e.at >= since AND e.at < until ORDER BY e.at, e.event_id)
    ) parts
$$;

-- Grants -------------------------------------------------------------------------------------------------------------------

REVOKE ALL ON FUNCTION leads_complaint(uuid, uuid), is_complaint_about(uuid, uuid), keep_subjects_out(), take_from_subject(),
    keep_complaint(uuid, text, text, text, boolean, boolean, uuid, uuid, timestamptz[], timestamptz),
    file_complaint(uuid, text, text, boolean, boolean, uuid, timestamptz[], timestamptz),
    reopen_own_complaint(uuid, text, timestamptz[], timestamptz), tell_outside_of_answer(),
    open_complaint_link(bytea, text, timestamptz),
    file_by_link(bytea, text, text, text, boolean, boolean, timestamptz[], timestamptz),
    survey_standing(survey_sent, timestamptz),
    keep_survey_answer(survey_sent, jsonb, text, text, boolean, boolean, timestamptz[], timestamptz),
    answer_own_survey(uuid, jsonb, text, text, boolean, boolean, timestamptz[], timestamptz),
    open_survey(bytea, text, timestamptz),
    answer_survey(bytea, text, jsonb, text, text, boolean, boolean, timestamptz[], timestamptz),
    stop_surveys(bytea, text, timestamptz), open_staff_round(timestamptz),
    answer_staff_round(uuid, jsonb, text, timestamptz), survey_marks(timestamptz, timestamptz),
    staff_marks(timestamptz, timestamptz, timestamptz), staff_remarks(timestamptz),
    voices_by_theme(timestamptz, timestamptz), complaint_file(uuid, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leads_complaint(uuid, uuid), is_complaint_about(uuid, uuid),
    file_complaint(uuid, text, text, boolean, boolean, uuid, timestamptz[], timestamptz),
    reopen_own_complaint(uuid, text, timestamptz[], timestamptz), open_complaint_link(bytea, text, timestamptz),
    file_by_link(bytea, text, text, text, boolean, boolean, timestamptz[], timestamptz),
    answer_own_survey(uuid, jsonb, text, text, boolean, boolean, timestamptz[], timestamptz),
    open_survey(bytea, text, timestamptz),
    answer_survey(bytea, text, jsonb, text, text, boolean, boolean, timestamptz[], timestamptz),
    stop_surveys(bytea, text, timestamptz), open_staff_round(timestamptz),
    answer_staff_round(uuid, jsonb, text, timestamptz), survey_marks(timestamptz, timestamptz),
    staff_marks(timestamptz, timestamptz, timestamptz), staff_remarks(timestamptz),
    voices_by_theme(timestamptz, timestamptz), complaint_file(uuid, timestamptz, timestamptz) TO pulsepost_console;

GRANT SELECT, INSERT ON survey_rule, theme_action TO pulsepost_console;
GRANT SELECT ON voice_patient TO pulsepost_console;
GRANT SELECT, INSERT ON survey_choice TO pulsepost_console;
-- Not whom it was about.
GRANT SELECT (sent_id, patient_id, kind, survey, version, sent_at, until) ON survey_sent TO pulsepost_console;
GRANT SELECT ON survey_answer TO pulsepost_console;
GRANT SELECT (comment_id, patient_id, kind, body, written_at, seen_by, seen_at), UPDATE (seen_by, seen_at)
    ON survey_comment TO pulsepost_console;
GRANT SELECT, UPDATE (state, owner, harm, acknowledge_by, answer_by, overdue_at, outcome, words, answered_at, answered_by,
                      closed_at, closed_by, changed_at) ON complaint TO pulsepost_console;
GRANT SELECT, INSERT ON complaint_subject, complaint_event TO pulsepost_console;
GRANT SELECT, INSERT (patient_id, asked_by, asked_at, until) ON complaint_ask TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE (removed_by, removed_at) ON voice_theme TO pulsepost_console;

-- The jobs ask, remind of what is overdue, and read nothing that anybody said.
GRANT SELECT ON survey_rule, survey_choice, staff_round TO pulsepost_jobs;
GRANT SELECT, INSERT ON survey_sent TO pulsepost_jobs;
GRANT SELECT (sent_id, patient_id) ON survey_answer TO pulsepost_jobs;
GRANT INSERT ON survey_link, staff_round, complaint_link TO pulsepost_jobs;
GRANT SELECT (complaint_id, patient_id, state, acknowledge_by, answer_by, overdue_at), UPDATE (overdue_at) ON complaint
    TO pulsepost_jobs;
GRANT INSERT ON complaint_event TO pulsepost_jobs;
GRANT SELECT (ask_id, patient_id, until, complaint_id) ON complaint_ask TO pulsepost_jobs;
GRANT SELECT (call_id, patient_id, account_id, contact_id, ended_at, outcome) ON call TO pulsepost_jobs;
GRANT SELECT (summary_id, patient_id, discharged_on, entered_at) ON discharge_summary TO pulsepost_jobs;
GRANT SELECT (participation_id) ON participation TO pulsepost_jobs;
CREATE POLICY "asked about" ON call FOR SELECT TO pulsepost_jobs USING (true);
CREATE POLICY "asked about" ON discharge_summary FOR SELECT TO pulsepost_jobs USING (true);

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{survey_choice, survey_sent, complaint_ask}'::regclass[]) t;
SELECT guard(t, '{pulsepost_jobs}') FROM unnest('{survey_link, survey_answer, complaint_link, complaint, complaint_event}'
    ::regclass[]) t;
SELECT guard(t) FROM unnest('{survey_comment, complaint_subject, voice_theme}'::regclass[]) t;
CREATE POLICY chooses ON survey_choice FOR INSERT TO pulsepost_console
    WITH CHECK (method = 'screen' AND set_by = (SELECT a.account_id FROM acting_account a)
                AND patient_id = (SELECT a.patient_id FROM acting_account a));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY oneself ON survey_answer FOR SELECT TO pulsepost_console USING (%s)',
                   oneself_sql('survey_answer'));
    EXECUTE format('CREATE POLICY oneself ON complaint FOR SELECT TO pulsepost_console USING (%s)',
                   oneself_sql('complaint'));
    EXECUTE format('CREATE POLICY "in care" ON survey_comment TO pulsepost_console USING (%s
                    AND concerned IS DISTINCT FROM (SELECT a.account_id FROM acting_account a))',
                   in_care_sql('survey_comment'));
END
$$;
CREATE POLICY "lead nurses" ON survey_comment TO pulsepost_console
    USING ((SELECT a.role FROM acting_account a) = 'lead_nurse'
           AND concerned IS DISTINCT FROM (SELECT a.account_id FROM acting_account a));
CREATE POLICY handled ON complaint TO pulsepost_console
    USING (leads_complaint(complaint_id, patient_id)
           OR (owner = (SELECT a.account_id FROM acting_account a) OR taken_by = (SELECT a.account_id FROM acting_account a))
              AND NOT is_complaint_about(complaint_id, (SELECT acting_account_id())))
    WITH CHECK ((SELECT a.role FROM acting_account a) <> 'patient');
-- With the complaint itself; nothing of it is the patient's, who reads the answer.
CREATE POLICY handled ON complaint_subject TO pulsepost_console
    USING ((SELECT a.role FROM acting_account a) <> 'patient'
           AND EXISTS (SELECT FROM complaint c WHERE c.complaint_id = complaint_subject.complaint_id));
CREATE POLICY handled ON complaint_event TO pulsepost_console
    USING ((SELECT a.role FROM acting_account a) <> 'patient'
           AND EXISTS (SELECT FROM complaint c WHERE c.complaint_id = complaint_event.complaint_id));
CREATE POLICY "as oneself" ON complaint_event AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (account_id = (SELECT a.account_id FROM acting_account a));
CREATE POLICY handled ON voice_theme TO pulsepost_console
    USING ((SELECT a.role FROM acting_account a) IN ('nurse', 'lead_nurse', 'doctor', 'coordinator')
           AND CASE what WHEN 'complaint' THEN EXISTS (SELECT FROM complaint c WHERE c.complaint_id = thing_id)
                         WHEN 'comment' THEN EXISTS (SELECT FROM survey_comment s WHERE s.comment_id = thing_id)
                         ELSE (SELECT a.role FROM acting_account a) = 'lead_nurse' END);

-- To outside CRMs ---------------------------------------------------------------------------------------------------------

-- To an outside CRM a complaint is a ticket with a deadline; what it says leaves only where the destination has values.
CREATE FUNCTION crm_tell_of_complaint() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.complaint.received.v1', NEW.received_at, 'complaint',
            NEW.complaint_id, jsonb_build_object('kind', NEW.kind, 'deadline', NEW.answer_by,
                'tier', CASE WHEN NEW.harm THEN 'urgent' ELSE 'routine' END),
            jsonb_build_object('values', jsonb_build_object('sentence', NEW.body)), false);
    ELSIF NEW.state IS DISTINCT FROM OLD.state AND NEW.state IN ('answered', 'closed', 'reopened') THEN
        PERFORM crm_tell(NEW.patient_id, 'org.pulsepost.complaint.' || NEW.state || '.v1', NEW.changed_at, 'complaint',
            NEW.complaint_id, '{}', '{}', true);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT OR UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION crm_tell_of_complaint();

-- Marks leave only for a destination that asked for them (``surveys``): whoever reads them there knows whose they are.
CREATE FUNCTION crm_tell_of_survey() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO crm_outbox (event_id, destination_id, patient_id, subject, type, at, what, thing_id, reference, data, next_at,
                            since)
        SELECT uuid_v7(NEW.answered_at), d.destination_id, NEW.patient_id, crm_reference(d.reference_key, NEW.patient_id),
               'org.pulsepost.survey.answered.v1', NEW.answered_at, 'survey', NEW.sent_id,
               crm_reference(d.reference_key, NEW.sent_id),
               jsonb_build_object('survey', NEW.survey, 'version', NEW.version, 'answers', NEW.answers), NEW.answered_at,
               NEW.answered_at
        FROM crm_destination d
        WHERE d.active AND d.settings ->> 'surveys' = 'yes' AND NOT is_training(NEW.patient_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER crm_tell AFTER INSERT ON survey_answer FOR EACH ROW EXECUTE FUNCTION crm_tell_of_survey();
REVOKE ALL ON FUNCTION crm_tell_of_complaint(), crm_tell_of_survey() FROM PUBLIC;
-- A link of a ticket leads whoever handles the complaint, whether the patient is theirs or not.
CREATE POLICY "complaint handled" ON crm_outbox FOR SELECT TO pulsepost_console
    USING (what = 'complaint' AND (SELECT a.role FROM acting_account a) <> 'patient'
           AND EXISTS (SELECT FROM complaint c WHERE c.complaint_id = thing_id));
CREATE POLICY "complaint handled" ON crm_remote FOR SELECT TO pulsepost_console
    USING (kind = 'ticket' AND (SELECT a.role FROM acting_account a) <> 'patient'
           AND EXISTS (SELECT FROM complaint c WHERE c.complaint_id = thing_id));
