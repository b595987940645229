-- Whom we told what, how, and whether it arrived.

-- How a member of the staff is reached, in the order in which it is tried. Nobody is paged at an address that did not yet
-- show that it is theirs.
CREATE TABLE staff_address (
    address_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id    uuid NOT NULL REFERENCES account,
    channel       text NOT NULL CHECK (channel IN ('email', 'sms', 'voice', 'webhook')),
    address       text NOT NULL CHECK (length(address) BETWEEN 1 AND 254),
    position      smallint NOT NULL CHECK (position BETWEEN 1 AND 10),
    added_at      timestamptz NOT NULL,
    verified_at   timestamptz,
    removed_at    timestamptz,                   -- kept for the log of what was sent there
    -- The test page that is under way: its code reaches the person by the channel alone, and comes back by the console.
    code          text,
    code_until    timestamptz,
    code_tries    smallint NOT NULL DEFAULT 0,
    CHECK ((code IS NULL) = (code_until IS NULL))
);
CREATE UNIQUE INDEX staff_address_once ON staff_address (account_id, channel, address) WHERE removed_at IS NULL;

-- One row for each person who is to be told once: of a case in this round at this step of its path, of a gap in the roster,
-- or to try an address out.
CREATE TABLE notification (
    notification_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subject          text NOT NULL CHECK (subject IN ('case', 'duty_gap', 'test')),
    account_id       uuid NOT NULL REFERENCES account,
    case_id          uuid REFERENCES alert_case,
    round            integer,
    step             smallint,
    gap              text CHECK (length(gap) <= 200),       -- which gap: a role and a time, never a patient
    address_id       uuid REFERENCES staff_address,         -- which address is tried out
    created_at       timestamptz NOT NULL,
    -- 'waiting': nothing has left yet. 'sent': it has left, and nobody confirmed that it arrived. 'failed': nobody did in
    -- time, and the case goes on. 'withdrawn': it was needed no longer.
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'confirmed', 'failed', 'withdrawn')),
    next_at          timestamptz,                           -- when the delivery looks at it next; NULL: never again
    sent_at          timestamptz,
    confirmed_at     timestamptz,
    confirmed_by     text CHECK (confirmed_by IN ('answer', 'receipt', 'console', 'acknowledged', 'code')),
    UNIQUE (case_id, round, step, account_id),
    UNIQUE (gap, account_id),
    CHECK ((subject = 'case') = (case_id IS NOT NULL)),
    CHECK ((case_id IS NULL) = (round IS NULL) AND (case_id IS NULL) = (step IS NULL)),
    CHECK ((subject = 'duty_gap') = (gap IS NOT NULL)),
    CHECK ((subject = 'test') = (address_id IS NOT NULL)),
    CHECK ((state IN ('waiting', 'sent')) = (next_at IS NOT NULL)),
    CHECK ((state = 'confirmed') = (confirmed_by IS NOT NULL) AND (confirmed_by IS NULL) = (confirmed_at IS NULL))
);
CREATE INDEX notification_due ON notification (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX notification_of_account ON notification (account_id, created_at DESC);
ALTER TABLE notification SET (fillfactor = 80);

-- Each try. It is written before anything leaves: a try that died with its process stays 'sending', and is made again with
-- the same key, by which the far side knows it. No address in here.
CREATE TABLE notification_attempt (
    attempt_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id  uuid NOT NULL REFERENCES notification,
    channel          text NOT NULL,
    address_id       uuid REFERENCES staff_address,
    idempotency_key  uuid NOT NULL,              -- of this notification at this address, the same for each try
    began_at         timestamptz NOT NULL,
    ended_at         timestamptz,
    -- 'again': refused for now. 'never': refused for good. 'lost': its process died. 'withdrawn': needed no longer.
    outcome          text NOT NULL DEFAULT 'sending' CHECK (outcome IN ('sending', 'sent', 'again', 'never', 'lost',
                                                                       'withdrawn', 'delivered', 'undelivered')),
    provider_id      text CHECK (length(provider_id) <= 200),
    detail           text CHECK (length(detail) <= 200),    -- a kind of error, or a status: never what the far side said
    settled_at       timestamptz                            -- of a receipt
);
CREATE INDEX notification_attempt_of ON notification_attempt (notification_id, attempt_id);
CREATE INDEX notification_attempt_key ON notification_attempt (idempotency_key);
CREATE INDEX notification_attempt_provider ON notification_attempt (provider_id) WHERE provider_id IS NOT NULL;

-- The delivery looks at this notification at that time: what the console may ask for, and no more.
CREATE FUNCTION wake_delivery(notification_id uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT wake('deliver_notification', 'deliver_notification:' || n.notification_id,
                jsonb_build_object('notification_id', n.notification_id), wake_delivery.at)
    FROM notification n WHERE n.notification_id = wake_delivery.notification_id
$$;
REVOKE ALL ON FUNCTION wake_delivery(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wake_delivery(uuid, timestamptz) TO pulsepost_console, pulsepost_jobs;

-- The lock between a page and an acknowledgement: whoever sends holds it shared, whoever takes the case holds it alone.
CREATE FUNCTION paging_lock(case_id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('page ' || case_id, 0)
$$;

-- Somebody takes the case: waits for what is just being sent (seconds, and nothing begins meanwhile), and calls all else
-- off in the same transaction. So no page leaves after an acknowledgement that anybody can see.
CREATE FUNCTION call_pages_off() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(paging_lock(NEW.case_id));
    -- Nothing is being sent now: a try that is not over has died, and nobody will look at it any more.
    UPDATE notification_attempt SET outcome = 'lost', ended_at = NEW.changed_at
    WHERE outcome = 'sending'
      AND notification_id IN (SELECT n.notification_id FROM notification n WHERE n.case_id = NEW.case_id);
    UPDATE notification SET
        state = CASE WHEN account_id = NEW.owner AND sent_at IS NOT NULL THEN 'confirmed' ELSE 'withdrawn' END,
        confirmed_at = CASE WHEN account_id = NEW.owner AND sent_at IS NOT NULL THEN NEW.changed_at END,
        confirmed_by = CASE WHEN account_id = NEW.owner AND sent_at IS NOT NULL THEN 'acknowledged' END,
        next_at = NULL
    WHERE case_id = NEW.case_id AND state IN ('waiting', 'sent');
    PERFORM pg_notify('live', jsonb_build_object('type', 'page', 'account_id', told.account_id)::text)
    FROM (SELECT DISTINCT account_id FROM notification WHERE case_id = NEW.case_id) told;
    RETURN NULL;
END
$$;
CREATE TRIGGER call_pages_off AFTER UPDATE OF state ON alert_case FOR EACH ROW
    WHEN (OLD.state IN ('raised', 'escalated') AND NEW.state IN ('acknowledged', 'in_progress'))
    EXECUTE FUNCTION call_pages_off();

-- The console shows each their own addresses (the query says whose), and of a case who was told and whether it arrived.
GRANT SELECT, INSERT (account_id, channel, address, position, added_at) ON staff_address TO pulsepost_console;
GRANT UPDATE (position, verified_at, removed_at, code, code_until, code_tries) ON staff_address TO pulsepost_console;
-- Of itself it begins nothing but tests: of a case and of a gap the escalation tells.
GRANT SELECT, INSERT (subject, account_id, address_id, created_at, next_at) ON notification TO pulsepost_console;
GRANT UPDATE (state, next_at, confirmed_at, confirmed_by) ON notification TO pulsepost_console;
GRANT SELECT, UPDATE (outcome, settled_at) ON notification_attempt TO pulsepost_console;

GRANT SELECT ON staff_address TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE (state, next_at, sent_at, confirmed_at, confirmed_by) ON notification TO pulsepost_jobs;
GRANT SELECT, INSERT, UPDATE (ended_at, outcome, provider_id, detail) ON notification_attempt TO pulsepost_jobs;
