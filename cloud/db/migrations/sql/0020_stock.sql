-- Devices as things: stock, lease, hand-out, return, wipe, remote pairing; and the way by which a gateway is told to do
-- something.

-- Commands ----------------------------------------------------------------------------------------------------------------

-- What a gateway is to do. Whoever has it done writes a row; the ingest publishes it, again and again until the gateway tells
-- what became of it or the time is over. Nothing in it is about a patient.
CREATE TABLE gateway_command (
    command_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gateway_id    text NOT NULL REFERENCES gateway,
    kind          text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    body          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(body) = 'object' AND octet_length(body::text) <= 65536),
    created_at    timestamptz NOT NULL,
    created_by    uuid REFERENCES account,       -- NULL: a job
    expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
    publish_at    timestamptz,                   -- when it is due, for the first time or again; NULL: no more
    published_at  timestamptz,                   -- last
    published     integer NOT NULL DEFAULT 0,    -- how often
    stage         text NOT NULL DEFAULT 'waiting'
                  CHECK (stage IN ('waiting', 'published', 'underway', 'done', 'failed', 'refused', 'expired')),
    step          integer NOT NULL DEFAULT -1,   -- of what the gateway last said of it
    reason        text,                          -- in the gateway's words
    detail        jsonb NOT NULL DEFAULT '{}',
    answered_at   timestamptz,                   -- when we last heard of it
    CHECK (publish_at IS NULL OR stage IN ('waiting', 'published'))
);
CREATE INDEX gateway_command_due ON gateway_command (publish_at) WHERE publish_at IS NOT NULL;
CREATE INDEX gateway_command_open ON gateway_command (expires_at) WHERE stage IN ('waiting', 'published', 'underway');
CREATE INDEX gateway_command_of_gateway ON gateway_command (gateway_id, created_at DESC);

-- What of a body is secret (the digits that a meter shows), apart: it goes when it was used or its time is over, and, being
-- unlogged, is in no write-ahead log, no replica and no physical backup. Nobody but the ingest can read it.
CREATE UNLOGGED TABLE gateway_command_secret (
    command_id  uuid PRIMARY KEY REFERENCES gateway_command ON DELETE CASCADE,
    secret      jsonb NOT NULL CHECK (jsonb_typeof(secret) = 'object')
);

CREATE FUNCTION forget_command_secret() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM gateway_command_secret WHERE command_id = NEW.command_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER secret_is_used AFTER UPDATE OF stage ON gateway_command FOR EACH ROW
    WHEN (NEW.stage IN ('done', 'failed', 'refused', 'expired')) EXECUTE FUNCTION forget_command_secret();

-- The ingest hears of each; whoever shows it hears what became of it.
CREATE FUNCTION tell_of_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gateway_commands', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER command_is_due AFTER INSERT ON gateway_command FOR EACH STATEMENT EXECUTE FUNCTION tell_of_command();

GRANT SELECT ON gateway_command TO pulsepost_console, pulsepost_jobs, pulsepost_ingest;
GRANT INSERT (command_id, gateway_id, kind, body, created_at, created_by, expires_at, publish_at) ON gateway_command
    TO pulsepost_console, pulsepost_jobs;
GRANT INSERT (command_id, secret) ON gateway_command_secret TO pulsepost_console;
-- To call one off that nobody has published yet, and to have the old ones gone.
GRANT UPDATE (stage, publish_at, answered_at, reason) ON gateway_command TO pulsepost_console, pulsepost_jobs;
GRANT DELETE ON gateway_command TO pulsepost_jobs;
GRANT UPDATE (publish_at, published_at, published, stage, step, reason, detail, answered_at) ON gateway_command
    TO pulsepost_ingest;
GRANT SELECT ON gateway_command_secret TO pulsepost_ingest;
