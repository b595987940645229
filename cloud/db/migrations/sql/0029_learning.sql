-- Education library, lectures, groups, questions and answers.

-- The library --------------------------------------------------------------------------------------------------------------

-- An article in three languages: a short text of ours, or a link to material elsewhere. A version never changes: what is to
-- say something else is another. Nobody approves what they wrote themselves, and nothing is deleted.
CREATE TABLE article (
    article_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text NOT NULL CHECK (name ~ '^[a-z0-9_]{1,60}$'),
    version      integer NOT NULL,
    topic        text NOT NULL CHECK (topic IN ('measuring', 'low', 'high', 'medication', 'food', 'activity', 'feet', 'illness',
                                               'calling', 'questions', 'other')),
    condition    text NOT NULL CHECK (condition IN ('any', 'diabetes', 'hypertension')),
    titles       jsonb NOT NULL,                 -- {"en": …, "ru": …, "zh": …}
    bodies       jsonb NOT NULL,                 -- the same; of a link: why somebody should follow it
    link         text NOT NULL DEFAULT '' CHECK (link = '' OR link ~ '^https://' AND length(link) <= 500),
    sources      text NOT NULL CHECK (length(btrim(sources)) BETWEEN 1 AND 1000),
    proposal     text,                           -- of which proposal of this software it was made: id and version
    written_by   uuid NOT NULL REFERENCES account,
    written_at   timestamptz NOT NULL,
    approved_by  uuid REFERENCES account,
    approved_at  timestamptz,
    review_on    date,                           -- by when a clinician reads it again
    retired_by   uuid REFERENCES account,        -- NULL: by itself
    retired_at   timestamptz,
    retired_why  text CHECK (length(btrim(retired_why)) BETWEEN 1 AND 500),
    UNIQUE (name, version),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (review_on IS NULL)),
    CHECK ((retired_at IS NULL) = (retired_why IS NULL) AND (retired_by IS NULL OR retired_at IS NOT NULL)),
    CHECK (approved_by <> written_by)
);
CREATE UNIQUE INDEX article_in_force ON article (name) WHERE approved_at IS NOT NULL AND retired_at IS NULL;

-- What was given to whom, by whom, and when it was first opened on the patient's own page (of which version).
CREATE TABLE article_given (
    given_id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id       uuid NOT NULL REFERENCES patient,
    article_id       uuid NOT NULL REFERENCES article,
    case_id          uuid,                       -- in which case it was given
    given_by         uuid NOT NULL REFERENCES account,
    given_at         timestamptz NOT NULL,
    read_at          timestamptz,
    read_article_id  uuid REFERENCES article,
    FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id),
    CHECK ((read_at IS NULL) = (read_article_id IS NULL))
);
CREATE INDEX ON article_given (patient_id, given_at DESC);
CREATE UNIQUE INDEX article_given_unread ON article_given (patient_id, article_id) WHERE read_at IS NULL;

GRANT SELECT ON article, article_given TO pulsepost_console;
-- Whether it was read: then nobody needs to be told.
GRANT SELECT (given_id, patient_id, read_at) ON article_given TO pulsepost_jobs;
GRANT INSERT (name, version, topic, condition, titles, bodies, link, sources, proposal, written_by, written_at),
    UPDATE (approved_by, approved_at, review_on, retired_by, retired_at, retired_why) ON article TO pulsepost_console;
GRANT INSERT (patient_id, article_id, case_id, given_by, given_at), UPDATE (read_at, read_article_id) ON article_given
    TO pulsepost_console;

-- Nobody but the staff sees what no clinician has approved.
SELECT guard('article');
CREATE POLICY staff ON article TO pulsepost_console USING ((SELECT a.role FROM acting_account a) <> 'patient');
CREATE POLICY approved ON article FOR SELECT TO pulsepost_console USING (approved_at IS NOT NULL);
CREATE POLICY "as oneself" ON article AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (written_by = (SELECT a.account_id FROM acting_account a));

SELECT guard_patients('article_given', '{pulsepost_jobs}');
CREATE POLICY "as oneself" ON article_given AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (given_by = (SELECT a.account_id FROM acting_account a)
                AND EXISTS (SELECT FROM article x WHERE x.article_id = article_given.article_id
                            AND x.approved_at IS NOT NULL AND x.retired_at IS NULL));

-- Groups and events ----------------------------------------------------------------------------------------------------------

-- Patients who meet, or hear of the same things. It says nothing of any of them.
CREATE TABLE patient_group (
    group_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 100),
    about         text NOT NULL DEFAULT '' CHECK (length(about) <= 500),
    programme_id  text REFERENCES programme,
    made_by       uuid NOT NULL REFERENCES account,
    made_at       timestamptz NOT NULL,
    closed_at     timestamptz
);

-- Who was asked to join and what they said: nobody is in before they agreed, on their own page or to somebody of the care team.
-- ``shown_as``: by which name the others of the group may see them, as they chose it; NULL: by none.
CREATE TABLE group_member (
    member_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    group_id     uuid NOT NULL REFERENCES patient_group,
    patient_id   uuid NOT NULL REFERENCES patient,
    state        text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'in', 'declined', 'left')),
    shown_as     text CHECK (length(btrim(shown_as)) BETWEEN 1 AND 60),
    asked_by     uuid NOT NULL REFERENCES account,
    asked_at     timestamptz NOT NULL,
    answered_by  uuid REFERENCES account,        -- who entered what the patient said
    answered_at  timestamptz,
    left_at      timestamptz,
    UNIQUE (group_id, patient_id),
    CHECK ((state = 'asked') = (answered_at IS NULL) AND (answered_at IS NULL) = (answered_by IS NULL)),
    CHECK (state = 'in' OR shown_as IS NULL)
);
CREATE INDEX ON group_member (patient_id);

-- A lecture or an activity: when, where, for how many, and for whom: all, one group, or those who are invited.
CREATE TABLE learning_event (
    event_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind          text NOT NULL CHECK (kind IN ('lecture', 'activity')),
    title         text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 120),
    plan          text NOT NULL DEFAULT '' CHECK (length(plan) <= 1000),
    language      text NOT NULL CHECK (language IN ('en', 'ru', 'zh')),    -- in which it is held
    place         text NOT NULL DEFAULT '' CHECK (length(place) <= 200),
    link          text NOT NULL DEFAULT '' CHECK (link = '' OR link ~ '^https://' AND length(link) <= 500),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '12 hours'),
    capacity      integer NOT NULL CHECK (capacity BETWEEN 1 AND 1000),
    audience      text NOT NULL CHECK (audience IN ('all', 'group', 'invited')),
    group_id      uuid REFERENCES patient_group,
    made_by       uuid NOT NULL REFERENCES account,
    made_at       timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    sequence      integer NOT NULL DEFAULT 0,    -- iCalendar's
    cancelled_at  timestamptz,
    CHECK ((audience = 'group') = (group_id IS NOT NULL)),
    CHECK (place <> '' OR link <> '')
);
CREATE INDEX ON learning_event (starts_at);

-- Who was invited or enrolled, and what became of it. Only who is 'coming', or was there or missed, takes a place.
CREATE TABLE event_seat (
    seat_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id     uuid NOT NULL REFERENCES learning_event,
    patient_id   uuid NOT NULL REFERENCES patient,
    state        text NOT NULL CHECK (state IN ('invited', 'coming', 'cannot', 'attended', 'absent')),
    entered_by   uuid NOT NULL REFERENCES account,
    entered_at   timestamptz NOT NULL,
    changed_by   uuid NOT NULL REFERENCES account,
    changed_at   timestamptz NOT NULL,
    reminded_at  timestamptz,
    asked_at     timestamptz,                    -- how it was
    UNIQUE (event_id, patient_id),
    UNIQUE (seat_id, patient_id)
);
CREATE INDEX ON event_seat (patient_id);

-- How it was, in the patient's words: two figures from 1 to 5, and what they want to add. Once.
CREATE TABLE event_evaluation (
    seat_id     uuid PRIMARY KEY,
    patient_id  uuid NOT NULL REFERENCES patient,
    useful      smallint NOT NULL CHECK (useful BETWEEN 1 AND 5),
    clear       smallint NOT NULL CHECK (clear BETWEEN 1 AND 5),
    said        text NOT NULL DEFAULT '' CHECK (length(said) <= 500),
    answered_at timestamptz NOT NULL,
    FOREIGN KEY (seat_id, patient_id) REFERENCES event_seat (seat_id, patient_id)
);
CREATE INDEX ON event_evaluation (patient_id);

-- No more places than there are, however many want them at once: whoever takes one waits for the others' end, and counts then.
-- NO KEY UPDATE: the key of the event is held by the rows of all who come at the same moment.
CREATE FUNCTION keep_places() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    places integer;
BEGIN
    IF NEW.state <> 'coming' OR (TG_OP = 'UPDATE' AND OLD.state IN ('coming', 'attended', 'absent')) THEN
        RETURN NULL;
    END IF;
    SELECT e.capacity INTO places FROM learning_event e WHERE e.event_id = NEW.event_id FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM event_seat s
        WHERE s.event_id = NEW.event_id AND s.state IN ('coming', 'attended', 'absent')) > places THEN
        RAISE EXCEPTION 'no place is left' USING ERRCODE = 'check_violation', CONSTRAINT = 'event_places';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_places AFTER INSERT OR UPDATE OF state ON event_seat FOR EACH ROW EXECUTE FUNCTION keep_places();

-- What follows from a change of the event, whoever makes it: nobody is told of the former time any more, whoever comes or is
-- invited hears that there is something, and is reminded anew.
CREATE FUNCTION follow_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    seat record;
    told uuid;
BEGIN
    IF NEW.capacity < (SELECT count(*) FROM event_seat s
                       WHERE s.event_id = NEW.event_id AND s.state IN ('coming', 'attended', 'absent')) THEN
        RAISE EXCEPTION 'more come than that' USING ERRCODE = 'check_violation', CONSTRAINT = 'event_places';
    END IF;
    IF (OLD.starts_at, OLD.ends_at, OLD.place, OLD.link, OLD.cancelled_at)
       IS NOT DISTINCT FROM (NEW.starts_at, NEW.ends_at, NEW.place, NEW.link, NEW.cancelled_at) THEN
        RETURN NULL;
    END IF;
    UPDATE event_seat s SET reminded_at = NULL WHERE s.event_id = NEW.event_id AND NEW.starts_at > OLD.starts_at;
    FOR seat IN SELECT s.seat_id, s.patient_id FROM event_seat s
                WHERE s.event_id = NEW.event_id AND s.state IN ('invited', 'coming') LOOP
        UPDATE outside_message SET state = 'withdrawn', next_at = NULL, ended_at = NEW.changed_at
        WHERE patient_id = seat.patient_id AND subject_id = seat.seat_id AND state = 'waiting';
        INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, until, next_at)
        VALUES (seat.patient_id, 'event', 'event:' || seat.seat_id || ':change:' || NEW.sequence, seat.seat_id,
                NEW.changed_at, greatest(OLD.starts_at, NEW.changed_at + interval '1 hour'), NEW.changed_at)
        ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id INTO told;
        PERFORM wake_outside(told, NEW.changed_at);
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER follow_event AFTER UPDATE ON learning_event FOR EACH ROW EXECUTE FUNCTION follow_event();

-- Of all patients, and of nobody: how many come, and what they said of it where at least five did.
CREATE FUNCTION event_counts(events uuid[])
    RETURNS TABLE (event_id uuid, coming bigint, invited bigint, attended bigint, answers bigint, useful numeric, clear numeric)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.event_id, count(*) FILTER (WHERE s.state IN ('coming', 'attended', 'absent')),
           count(*) FILTER (WHERE s.state = 'invited'), count(*) FILTER (WHERE s.state = 'attended'), count(v.seat_id),
           CASE WHEN count(v.seat_id) >= 5 THEN round(avg(v.useful), 1) END,
           CASE WHEN count(v.seat_id) >= 5 THEN round(avg(v.clear), 1) END
    FROM event_seat s LEFT JOIN event_evaluation v USING (seat_id)
    WHERE s.event_id = ANY (events) GROUP BY s.event_id
$$;
CREATE FUNCTION group_counts() RETURNS TABLE (group_id uuid, members bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.group_id, count(*) FROM group_member m WHERE m.state = 'in' GROUP BY m.group_id
$$;
-- By which names the others of a group want to be seen, for whoever is in it.
CREATE FUNCTION group_companions(wanted uuid) RETURNS TABLE (shown_as text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.shown_as FROM group_member m, acting_account a
    WHERE m.group_id = wanted AND m.state = 'in' AND m.shown_as IS NOT NULL AND m.patient_id <> a.patient_id
      AND EXISTS (SELECT FROM group_member o
                  WHERE o.group_id = wanted AND o.patient_id = a.patient_id AND o.state = 'in')
    ORDER BY m.shown_as
$$;
REVOKE ALL ON FUNCTION keep_places(), follow_event(), event_counts(uuid[]), group_counts(), group_companions(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_counts(uuid[]), group_counts(), group_companions(uuid) TO pulsepost_console;

GRANT SELECT, INSERT, UPDATE (closed_at) ON patient_group TO pulsepost_console;
GRANT SELECT, INSERT (group_id, patient_id, asked_by, asked_at),
    UPDATE (state, shown_as, asked_by, asked_at, answered_by, answered_at, left_at) ON group_member TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE (title, plan, language, place, link, starts_at, ends_at, capacity, changed_at, sequence,
                              cancelled_at) ON learning_event TO pulsepost_console;
GRANT SELECT, INSERT (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at),
    UPDATE (state, changed_by, changed_at) ON event_seat TO pulsepost_console;
GRANT SELECT, INSERT ON event_evaluation TO pulsepost_console;
GRANT SELECT (event_id, starts_at, ends_at, cancelled_at) ON learning_event TO pulsepost_jobs;
GRANT SELECT (seat_id, event_id, patient_id, state, changed_at, reminded_at, asked_at), UPDATE (reminded_at, asked_at)
    ON event_seat TO pulsepost_jobs;

-- Whether somebody has answered: then nobody needs to be told.
GRANT SELECT (member_id, patient_id, state) ON group_member TO pulsepost_jobs;

SELECT guard_patients(t, '{pulsepost_jobs}') FROM unnest('{event_seat, group_member}'::regclass[]) t;
SELECT guard_patients('event_evaluation');
-- Everybody asks and enrols in their own name, and a patient says neither what became of it nor what nobody asked them.
CREATE POLICY "as oneself" ON group_member AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (asked_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY "as oneself" ON event_seat AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (entered_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY "what became of it" ON event_seat AS RESTRICTIVE FOR UPDATE TO pulsepost_console
    USING (true) WITH CHECK ((SELECT a.role FROM acting_account a) <> 'patient' OR state IN ('coming', 'cannot'));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY answers ON group_member FOR UPDATE TO pulsepost_console USING (%s)',
                   oneself_sql('group_member'));
    EXECUTE format('CREATE POLICY comes ON event_seat FOR INSERT TO pulsepost_console WITH CHECK (state = ''coming'' AND %s)',
                   oneself_sql('event_seat'));
    EXECUTE format('CREATE POLICY answers ON event_seat FOR UPDATE TO pulsepost_console USING (%s)',
                   oneself_sql('event_seat'));
    EXECUTE format('CREATE POLICY says ON event_evaluation FOR INSERT TO pulsepost_console WITH CHECK (%s)',
                   oneself_sql('event_evaluation'));
    EXECUTE format('CREATE POLICY reads ON article_given FOR UPDATE TO pulsepost_console USING (%s)',
                   oneself_sql('article_given'));
END
$$;
-- How it was is the patient's to say, on their own page.
CREATE POLICY "as oneself" ON event_evaluation AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (patient_id = (SELECT a.patient_id FROM acting_account a));

-- Questions ------------------------------------------------------------------------------------------------------------------

-- A general question of a patient, answered by the care team by a deadline, or turned into something else.
CREATE TABLE patient_question (
    question_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id      uuid NOT NULL REFERENCES patient,
    body            text NOT NULL CHECK (length(btrim(body)) BETWEEN 1 AND 1000),
    asked_by        uuid NOT NULL REFERENCES account,
    asked_at        timestamptz NOT NULL,
    about_symptoms  boolean NOT NULL,            -- as the patient said, or a word of it says; they were told whom to call
    for_role        text NOT NULL DEFAULT 'nurse' CHECK (for_role IN ('nurse', 'doctor')),
    owner           uuid REFERENCES account,     -- NULL: whoever of them comes first
    due_at          timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'turned')),
    answer          text CHECK (length(btrim(answer)) BETWEEN 1 AND 2000),
    turned_into     text CHECK (turned_into IN ('message', 'follow_up')),
    ended_by        uuid REFERENCES account,
    ended_at        timestamptz,
    read_at         timestamptz,                 -- when the answer was first on the patient's screen
    may_publish     boolean NOT NULL,            -- without anything that says who asked; the patient's word, which may change
    may_publish_at  timestamptz NOT NULL,
    article_id      uuid UNIQUE REFERENCES article,
    CHECK ((state = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((state = 'answered') = (answer IS NOT NULL) AND (state = 'turned') = (turned_into IS NOT NULL))
);
CREATE INDEX ON patient_question (patient_id, asked_at DESC);
CREATE INDEX patient_question_open ON patient_question (due_at) WHERE state = 'open';

-- Whether everybody of whose question this article was made (or a former version of it) still agrees: it says nothing of whom.
CREATE FUNCTION may_be_published(wanted text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM patient_question q JOIN article a USING (article_id)
                       WHERE a.name = wanted AND NOT q.may_publish)
$$;
-- Whoever takes their word back takes the article out of the library.
CREATE FUNCTION take_out_of_library() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE article SET retired_at = NEW.may_publish_at, retired_why = 'agreement_withdrawn'
    WHERE retired_at IS NULL AND name = (SELECT a.name FROM article a WHERE a.article_id = NEW.article_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER take_out_of_library AFTER UPDATE OF may_publish ON patient_question
    FOR EACH ROW WHEN (OLD.may_publish AND NOT NEW.may_publish AND NEW.article_id IS NOT NULL)
    EXECUTE FUNCTION take_out_of_library();
REVOKE ALL ON FUNCTION may_be_published(text), take_out_of_library() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_be_published(text) TO pulsepost_console;

GRANT SELECT, INSERT (patient_id, body, asked_by, asked_at, about_symptoms, due_at, may_publish, may_publish_at),
    UPDATE (for_role, owner, due_at, state, answer, turned_into, ended_by, ended_at, read_at, may_publish, may_publish_at,
            article_id) ON patient_question TO pulsepost_console;
-- Whether the answer was read: then nobody needs to be told. Never what it says.
GRANT SELECT (question_id, patient_id, read_at) ON patient_question TO pulsepost_jobs;
SELECT guard_patients('patient_question', '{pulsepost_jobs}');
CREATE POLICY "as oneself" ON patient_question AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (asked_by = (SELECT a.account_id FROM acting_account a));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY asks ON patient_question FOR INSERT TO pulsepost_console WITH CHECK (%s)',
                   oneself_sql('patient_question'));
    EXECUTE format('CREATE POLICY "reads, agrees" ON patient_question FOR UPDATE TO pulsepost_console USING (%s)',
                   oneself_sql('patient_question'));
END
$$;
