-- Quality audits: samples of closed cases, what was found in them, and what is done about it.
--
-- Who audits cares for none of these patients, as a rule. What they need of a case they read by functions, while they have
-- begun and not ended its audit: no name, no number, no reading but what the case itself says.

-- May the account draw and audit. Others see what was found in their own work.
CREATE VIEW acting_auditor WITH (security_barrier) AS
    SELECT account_id FROM acting_account WHERE role IN ('lead_nurse', 'auditor');
GRANT SELECT ON acting_auditor TO pulsepost_console;

-- Samples ----------------------------------------------------------------------------------------------------------------

-- One for a month of the site's calendar, once it is over: whoever draws cannot draw until they like it. The seed, the rule
-- and the hash of all that was drawn from are kept: whoever has these draws the same cases (cloud/crm/quality/sampling.py).
CREATE TABLE quality_sample (
    sample_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    month      date NOT NULL UNIQUE CHECK (extract(day FROM month) = 1),
    starts     timestamptz NOT NULL,
    ends       timestamptz NOT NULL CHECK (ends > starts),
    rule       text NOT NULL,
    percent    smallint NOT NULL CHECK (percent BETWEEN 10 AND 100),
    seed       text NOT NULL CHECK (seed ~ '^[0-9a-f]{32}$'),
    closed     integer NOT NULL CHECK (closed >= 0),     -- how many cases it was drawn from
    frame      text NOT NULL CHECK (frame ~ '^[0-9a-f]{64}$'),
    drawn_by   uuid NOT NULL REFERENCES account,
    drawn_at   timestamptz NOT NULL CHECK (drawn_at >= ends)
);

CREATE TABLE quality_case (
    sample_id   uuid NOT NULL REFERENCES quality_sample,
    case_id     uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    closed_by   uuid REFERENCES account,         -- NULL: nobody, it was closed automatically
    stratum     text NOT NULL CHECK (stratum IN ('emergency', 'urgent', 'other', 'automatic')),
    place       integer NOT NULL,                -- in the order of the draw
    PRIMARY KEY (sample_id, case_id),
    UNIQUE (sample_id, case_id, patient_id),
    UNIQUE (case_id),                            -- a case is closed once, in one month
    FOREIGN KEY (case_id, patient_id) REFERENCES alert_case (case_id, patient_id),
    CHECK ((closed_by IS NULL) = (stratum = 'automatic'))
);
CREATE INDEX ON quality_case (closed_by);

-- All cases that were closed in the span, without those of training: what a sample is drawn from. It says of nobody whose.
CREATE FUNCTION quality_closed(since timestamptz, until timestamptz)
    RETURNS TABLE (case_id uuid, patient_id uuid, closed_by uuid, tier text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.case_id, c.patient_id,
           CASE WHEN c.state = 'resolved' AND c.closed_automatically IS NULL THEN c.owner END, c.tier
    FROM alert_case c JOIN patient p ON p.patient_id = c.patient_id AND NOT p.training
    WHERE EXISTS (SELECT FROM acting_auditor)
      AND c.state IN ('resolved', 'expired') AND c.resolved_at >= since AND c.resolved_at < until
$$;
CREATE INDEX alert_case_closed ON alert_case (resolved_at) WHERE resolved_at IS NOT NULL;

-- What is sampled was closed in that month by whom it says.
CREATE FUNCTION quality_fits(sample uuid, which uuid, of_patient uuid, by uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM quality_sample s JOIN alert_case c ON c.case_id = which AND c.patient_id = of_patient
        JOIN patient p ON p.patient_id = c.patient_id AND NOT p.training
        WHERE s.sample_id = sample AND c.state IN ('resolved', 'expired')
          AND c.resolved_at >= s.starts AND c.resolved_at < s.ends
          AND CASE WHEN c.state = 'resolved' AND c.closed_automatically IS NULL THEN c.owner END
              IS NOT DISTINCT FROM by)
$$;

-- Has the account had a hand in the case: nobody audits what they did themselves.
CREATE FUNCTION quality_own(which uuid, account uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM alert_case c WHERE c.case_id = which AND c.owner = account)
        OR EXISTS (SELECT FROM case_event e WHERE e.case_id = which AND e.actor = account)
        OR EXISTS (SELECT FROM call k WHERE k.case_id = which AND k.account_id = account)
        OR EXISTS (SELECT FROM triage_walk w WHERE w.case_id = which AND w.account_id = account)
$$;

-- Audits -----------------------------------------------------------------------------------------------------------------

CREATE TABLE quality_audit (
    audit_id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sample_id         uuid NOT NULL,
    case_id           uuid NOT NULL,
    patient_id        uuid NOT NULL REFERENCES patient,
    auditor           uuid NOT NULL REFERENCES account,
    checklist         integer NOT NULL,          -- its version (cloud/crm/quality/checklists)
    script            text,                      -- that the case was worked by, or would have been; NULL: there is none
    script_version    integer,                   -- in force then
    begun_at          timestamptz NOT NULL,
    remark            text NOT NULL DEFAULT '' CHECK (length(remark) <= 1000),
    finished_at       timestamptz CHECK (finished_at >= begun_at),
    UNIQUE (sample_id, case_id, auditor),
    UNIQUE (audit_id, patient_id),
    FOREIGN KEY (sample_id, case_id, patient_id) REFERENCES quality_case (sample_id, case_id, patient_id),
    CHECK ((script IS NULL) = (script_version IS NULL))
);
CREATE INDEX ON quality_audit (case_id);

CREATE TABLE quality_finding (
    audit_id    uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    item        text NOT NULL,
    answer      text NOT NULL CHECK (answer IN ('yes', 'no', 'not_applicable')),
    remark      text NOT NULL DEFAULT '' CHECK (length(remark) <= 500),
    PRIMARY KEY (audit_id, item),
    FOREIGN KEY (audit_id, patient_id) REFERENCES quality_audit (audit_id, patient_id)
);

-- What the person whose work it was says about it.
CREATE TABLE quality_reply (
    audit_id    uuid NOT NULL,
    patient_id  uuid NOT NULL REFERENCES patient,
    written_by  uuid NOT NULL REFERENCES account,
    written_at  timestamptz NOT NULL,
    body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 1000),
    FOREIGN KEY (audit_id, patient_id) REFERENCES quality_audit (audit_id, patient_id)
);
CREATE INDEX ON quality_reply (audit_id);

-- What is done about it. It names the version of the script that was in force, and the one that answers it.
CREATE TABLE quality_action (
    action_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    audit_id        uuid NOT NULL,
    patient_id      uuid NOT NULL REFERENCES patient,
    kind            text NOT NULL CHECK (kind IN ('briefing', 'retraining', 'script', 'limit', 'contraindication')),
    what            text NOT NULL CHECK (length(what) BETWEEN 1 AND 500),
    owner           uuid NOT NULL REFERENCES account,
    due_on          date NOT NULL,               -- on the site's calendar
    check_on        date NOT NULL CHECK (check_on >= due_on),
    script          text,
    script_version  integer,
    answered_by     integer CHECK (answered_by > script_version),
    made_by         uuid NOT NULL REFERENCES account,
    made_at         timestamptz NOT NULL,
    outcome         text CHECK (length(outcome) BETWEEN 1 AND 1000),
    done_by         uuid REFERENCES account,
    done_at         timestamptz,
    effective       boolean,                     -- looked at again: it helped, or it did not
    check_note      text CHECK (length(check_note) BETWEEN 1 AND 1000),
    checked_by      uuid REFERENCES account,
    checked_at      timestamptz,
    FOREIGN KEY (audit_id, patient_id) REFERENCES quality_audit (audit_id, patient_id),
    CHECK ((script IS NULL) = (script_version IS NULL)),
    CHECK (kind <> 'script' OR script IS NOT NULL),
    CHECK (answered_by IS NULL OR kind = 'script'),
    CHECK ((done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (outcome IS NULL)),
    CHECK (kind <> 'script' OR done_at IS NULL OR answered_by IS NOT NULL),
    CHECK ((checked_at IS NULL) = (checked_by IS NULL) AND (checked_at IS NULL) = (effective IS NULL)
           AND (checked_at IS NULL) = (check_note IS NULL)),
    CHECK (checked_at IS NULL OR checked_at >= done_at),
    CHECK (checked_by <> done_by)                -- nobody says of their own work that it helped
);
CREATE INDEX ON quality_action (audit_id);
CREATE INDEX ON quality_action (owner) WHERE done_at IS NULL;
CREATE INDEX ON quality_action (script, script_version);

GRANT SELECT, INSERT ON quality_sample, quality_case TO pulsepost_console;
GRANT SELECT, INSERT (audit_id, sample_id, case_id, patient_id, auditor, checklist, script, script_version, begun_at),
      UPDATE (remark, finished_at) ON quality_audit TO pulsepost_console;
GRANT SELECT, INSERT, UPDATE (answer, remark) ON quality_finding TO pulsepost_console;
GRANT SELECT, INSERT ON quality_reply TO pulsepost_console;
GRANT SELECT, INSERT (audit_id, patient_id, kind, what, owner, due_on, check_on, script, script_version, made_by, made_at),
      UPDATE (outcome, done_by, done_at, answered_by, effective, check_note, checked_by, checked_at)
      ON quality_action TO pulsepost_console;

-- Who sees and does what ---------------------------------------------------------------------------------------------------

-- No care team: whoever audits, and of their own work whoever did it, once an audit has ended.
SELECT guard(t) FROM unnest('{quality_case, quality_audit, quality_finding, quality_reply, quality_action}'::regclass[]) t;

CREATE POLICY audited ON quality_case FOR SELECT TO pulsepost_console USING (EXISTS (SELECT FROM acting_auditor));
CREATE POLICY own ON quality_case FOR SELECT TO pulsepost_console
    USING (closed_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY drawn ON quality_case FOR INSERT TO pulsepost_console
    WITH CHECK (EXISTS (SELECT FROM acting_auditor) AND quality_fits(sample_id, case_id, patient_id, closed_by));

CREATE POLICY audited ON quality_audit FOR SELECT TO pulsepost_console USING (EXISTS (SELECT FROM acting_auditor));
CREATE POLICY own ON quality_audit FOR SELECT TO pulsepost_console
    USING (finished_at IS NOT NULL
           AND EXISTS (SELECT FROM quality_case x WHERE x.sample_id = quality_audit.sample_id
                           AND x.case_id = quality_audit.case_id
                           AND x.closed_by = (SELECT a.account_id FROM acting_account a)));
CREATE POLICY begun ON quality_audit FOR INSERT TO pulsepost_console
    WITH CHECK (auditor = (SELECT a.account_id FROM acting_auditor a) AND NOT quality_own(case_id, auditor));
CREATE POLICY written ON quality_audit FOR UPDATE TO pulsepost_console
    USING (auditor = (SELECT a.account_id FROM acting_auditor a) AND finished_at IS NULL)
    WITH CHECK (auditor = (SELECT a.account_id FROM acting_auditor a));

CREATE POLICY seen ON quality_finding FOR SELECT TO pulsepost_console
    USING (EXISTS (SELECT FROM quality_audit x WHERE x.audit_id = quality_finding.audit_id));
CREATE POLICY found ON quality_finding FOR INSERT TO pulsepost_console
    WITH CHECK (EXISTS (SELECT FROM quality_audit x WHERE x.audit_id = quality_finding.audit_id AND x.finished_at IS NULL
                            AND x.auditor = (SELECT a.account_id FROM acting_auditor a)));
CREATE POLICY written ON quality_finding FOR UPDATE TO pulsepost_console
    USING (EXISTS (SELECT FROM quality_audit x WHERE x.audit_id = quality_finding.audit_id AND x.finished_at IS NULL
                       AND x.auditor = (SELECT a.account_id FROM acting_auditor a)));

CREATE POLICY seen ON quality_reply FOR SELECT TO pulsepost_console
    USING (EXISTS (SELECT FROM quality_audit x WHERE x.audit_id = quality_reply.audit_id));
CREATE POLICY own ON quality_reply FOR INSERT TO pulsepost_console
    WITH CHECK (written_by = (SELECT a.account_id FROM acting_account a)
                AND EXISTS (SELECT FROM quality_audit x JOIN quality_case y USING (sample_id, case_id)
                            WHERE x.audit_id = quality_reply.audit_id AND x.finished_at IS NOT NULL
                              AND y.closed_by = quality_reply.written_by));

CREATE POLICY audited ON quality_action FOR SELECT TO pulsepost_console USING (EXISTS (SELECT FROM acting_auditor));
CREATE POLICY own ON quality_action FOR SELECT TO pulsepost_console
    USING (owner = (SELECT a.account_id FROM acting_account a));
CREATE POLICY made ON quality_action FOR INSERT TO pulsepost_console
    WITH CHECK (made_by = (SELECT a.account_id FROM acting_auditor a)
                AND EXISTS (SELECT FROM quality_audit x
                            WHERE x.audit_id = quality_action.audit_id AND x.finished_at IS NOT NULL));
CREATE POLICY done ON quality_action FOR UPDATE TO pulsepost_console
    USING (owner = (SELECT a.account_id FROM acting_account a) AND done_at IS NULL)
    WITH CHECK (done_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY checked ON quality_action FOR UPDATE TO pulsepost_console
    USING (EXISTS (SELECT FROM acting_auditor) AND done_at IS NOT NULL AND checked_at IS NULL)
    WITH CHECK (checked_by = (SELECT a.account_id FROM acting_auditor a));

-- What findings are about: lead nurses say it (0028), whoever audits reads it.
CREATE POLICY audited ON voice_theme FOR SELECT TO pulsepost_console
    USING (what = 'finding' AND EXISTS (SELECT FROM acting_auditor));

-- The case as it was, to whoever is auditing it -----------------------------------------------------------------------------

CREATE FUNCTION quality_open(which uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT x.case_id FROM quality_audit x
    WHERE x.audit_id = which AND x.finished_at IS NULL AND x.auditor = (SELECT a.account_id FROM acting_auditor a)
$$;
-- What an audit needs to know of a case before it begins: which script was in force. Where nobody went through it, that is
-- the version with which anybody last went through one of the same condition until the case was closed.
CREATE FUNCTION quality_script(sample uuid, which uuid) RETURNS TABLE (condition text, script text, version integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.condition, w.script, w.version
    FROM quality_case x JOIN alert_case c USING (case_id)
    LEFT JOIN LATERAL (SELECT t.script, t.version FROM triage_walk t JOIN alert_case k USING (case_id)
                       WHERE k.condition = c.condition AND t.started_at <= c.resolved_at
                       ORDER BY t.case_id = c.case_id DESC, t.started_at DESC, t.walk_id LIMIT 1) w ON true
    WHERE x.sample_id = sample AND x.case_id = which AND EXISTS (SELECT FROM acting_auditor)
$$;
CREATE FUNCTION quality_seen_case(which uuid)
    RETURNS TABLE (case_id uuid, time_zone text, condition text, tier text, state text, round integer, sentence text,
                   reason jsonb, opened_at timestamptz, raised_at timestamptz, deadline timestamptz,
                   contact_by timestamptz, contacted_at timestamptz, resolved_at timestamptz, disposition text,
                   resolved_why text, closed_automatically text, owner_name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.case_id, p.time_zone, c.condition, c.tier, c.state, c.round, c.sentence, c.reason, c.opened_at, c.raised_at,
           c.deadline, c.contact_by, c.contacted_at, c.resolved_at, c.disposition, c.resolved_why, c.closed_automatically,
           o.display_name
    FROM alert_case c JOIN patient p USING (patient_id) LEFT JOIN account o ON o.account_id = c.owner
    WHERE c.case_id = quality_open(which)
$$;
CREATE FUNCTION quality_seen_alerts(which uuid)
    RETURNS TABLE (tier text, sentence text, reason jsonb, effective_time timestamptz, raised_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.tier, a.sentence, a.reason, a.effective_time, a.raised_at FROM alert a
    WHERE a.case_id = quality_open(which) ORDER BY a.effective_time DESC, a.raised_at DESC, a.alert_id LIMIT 500
$$;
CREATE FUNCTION quality_seen_events(which uuid)
    RETURNS TABLE (at timestamptz, actor_name text, event text, from_state text, to_state text, data jsonb, to_name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.at, a.display_name, e.event, e.from_state, e.to_state, e.data, t.display_name
    FROM case_event e LEFT JOIN account a ON a.account_id = e.actor
    LEFT JOIN account t ON t.account_id::text = e.data->>'to'
    WHERE e.case_id = quality_open(which) ORDER BY e.event_id DESC LIMIT 500
$$;
-- Neither the number nor the contact person's name: how they are related says enough.
CREATE FUNCTION quality_seen_calls(which uuid)
    RETURNS TABLE (caller text, contact_id uuid, relation text, started_at timestamptz, ended_at timestamptz, outcome text,
                   note text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.display_name, c.contact_id, p.relation, c.started_at, c.ended_at, c.outcome, c.note
    FROM call c JOIN account a USING (account_id) LEFT JOIN contact_person p ON p.contact_id = c.contact_id
    WHERE c.case_id = quality_open(which) ORDER BY c.started_at DESC, c.call_id
$$;
CREATE FUNCTION quality_seen_walks(which uuid)
    RETURNS TABLE (walk_id uuid, script text, version integer, path jsonb, end_state text, account_id uuid, walker text,
                   started_at timestamptz, changed_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.walk_id, w.script, w.version, w.path, w.end_state, w.account_id, a.display_name, w.started_at, w.changed_at
    FROM triage_walk w JOIN account a USING (account_id)
    WHERE w.case_id = quality_open(which) ORDER BY w.started_at, w.walk_id
$$;

REVOKE ALL ON FUNCTION quality_closed(timestamptz, timestamptz), quality_fits(uuid, uuid, uuid, uuid),
    quality_own(uuid, uuid), quality_open(uuid), quality_script(uuid, uuid), quality_seen_case(uuid), quality_seen_alerts(uuid),
    quality_seen_events(uuid), quality_seen_calls(uuid), quality_seen_walks(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION quality_closed(timestamptz, timestamptz), quality_fits(uuid, uuid, uuid, uuid),
    quality_own(uuid, uuid), quality_script(uuid, uuid), quality_seen_case(uuid), quality_seen_alerts(uuid),
    quality_seen_events(uuid), quality_seen_calls(uuid), quality_seen_walks(uuid) TO pulsepost_console;
