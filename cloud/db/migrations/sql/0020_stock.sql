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

-- Stock -------------------------------------------------------------------------------------------------------------------

-- Each device as a thing. Nothing here is about a patient: who has it is in stock_holding.
CREATE TABLE stock_item (
    item_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind           text NOT NULL CHECK (kind IN ('glucose', 'blood_pressure')),
    manufacturer   text NOT NULL CHECK (manufacturer <> ''),
    model          text NOT NULL CHECK (model <> ''),
    profile        text,                         -- the firmware profile's id; NULL: a model that no gateway reads yet
    serial_number  text NOT NULL CHECK (serial_number <> ''),
    gtin           text CHECK (gtin ~ '^[0-9]{14}$'),
    owner          text NOT NULL CHECK (owner IN ('clinic', 'lessor', 'patient')),
    lessor         text,
    lease_ends_on  date,
    note           text NOT NULL DEFAULT '',
    state          text NOT NULL CHECK (state IN ('in_stock', 'handed_out', 'returned', 'wiped', 'lost', 'retired')),
    state_at       timestamptz NOT NULL,
    device_id      text UNIQUE REFERENCES device,  -- as gateways know it; NULL: nobody has read it yet
    added_at       timestamptz NOT NULL,
    added_by       uuid NOT NULL REFERENCES account,
    CHECK ((owner = 'lessor') = (lessor IS NOT NULL AND lease_ends_on IS NOT NULL))
);
CREATE UNIQUE INDEX stock_item_serial ON stock_item (lower(manufacturer), upper(serial_number));
CREATE INDEX stock_item_number ON stock_item (upper(serial_number));
CREATE INDEX stock_item_lease ON stock_item (lease_ends_on) WHERE state <> 'retired';

-- Everything that was done with it, by whom; without a patient.
CREATE TABLE stock_event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id     uuid NOT NULL REFERENCES stock_item,
    at          timestamptz NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    act         text NOT NULL,
    state       text NOT NULL,                   -- after it
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX stock_event_of_item ON stock_event (item_id, event_id DESC);

ALTER TABLE device_assignment ADD UNIQUE (assignment_id, patient_id);

-- Who has it, and had it. The device_assignment says whose its readings are; it may have ended earlier.
CREATE TABLE stock_holding (
    holding_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    item_id        uuid NOT NULL REFERENCES stock_item,
    patient_id     uuid NOT NULL REFERENCES patient,
    assignment_id  uuid NOT NULL,
    since          timestamptz NOT NULL,
    until          timestamptz CHECK (until >= since),
    handed_by      uuid NOT NULL REFERENCES account,
    returned_by    uuid REFERENCES account,
    FOREIGN KEY (assignment_id, patient_id) REFERENCES device_assignment (assignment_id, patient_id)
);
CREATE UNIQUE INDEX stock_holding_open ON stock_holding (item_id) WHERE until IS NULL;
CREATE INDEX stock_holding_of_patient ON stock_holding (patient_id, since DESC);

-- Parcels come back to people who see no patient: whoever takes a device back ends what they cannot see. The patient, for the
-- audit; NULL: nobody has it, or it is not for this role.
CREATE FUNCTION take_back(of_item uuid, at timestamptz, by_account uuid) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    held stock_holding;
BEGIN
    IF NOT EXISTS (SELECT FROM acting_account a
                   WHERE a.role IN ('nurse', 'lead_nurse', 'coordinator', 'support', 'administrator')) THEN
        RETURN NULL;
    END IF;
    UPDATE stock_holding h SET until = greatest(h.since, at), returned_by = by_account
        WHERE h.item_id = of_item AND h.until IS NULL RETURNING * INTO held;
    IF held.holding_id IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE device_assignment a SET valid = tstzrange(lower(a.valid), greatest(lower(a.valid), at))
        WHERE a.assignment_id = held.assignment_id AND a.patient_id = held.patient_id
          AND a.valid @> greatest(lower(a.valid), at);
    RETURN held.patient_id;
END
$$;

-- From when on it can be somebody else's: says nothing of who had it.
CREATE FUNCTION held_until(of_item uuid) RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT max(coalesce(h.until, 'infinity')) FROM stock_holding h WHERE h.item_id = of_item
$$;

-- Whether a gateway reads the devices of others, and none of this patient's: whoever pairs there should look twice.
CREATE FUNCTION gateway_is_anothers(of_gateway text, of_patient uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT coalesce(bool_or(a.patient_id <> of_patient) AND NOT bool_or(a.patient_id = of_patient), false)
    FROM gateway_device g JOIN device_assignment a USING (device_id)
    WHERE g.gateway_id = of_gateway AND a.valid @> now()
$$;
REVOKE ALL ON FUNCTION take_back(uuid, timestamptz, uuid), held_until(uuid), gateway_is_anothers(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_back(uuid, timestamptz, uuid), held_until(uuid), gateway_is_anothers(text, uuid)
    TO pulsepost_console;

GRANT SELECT, INSERT ON stock_item, stock_event, stock_holding TO pulsepost_console;
GRANT UPDATE (owner, lessor, lease_ends_on, note, state, state_at, device_id) ON stock_item TO pulsepost_console;
-- A device that is handed out before any gateway has read it, and who has it then; 0018 has the rest of these.
GRANT INSERT (device_id, manufacturer, model, serial_number, profile) ON device TO pulsepost_console;
GRANT INSERT (assignment_id, device_id, user_index, patient_id, valid), UPDATE (device_id, valid) ON device_assignment
    TO pulsepost_console;

-- Pairing from afar ---------------------------------------------------------------------------------------------------------

-- Which patient's device a pairing was for; the command itself, which the gateway hears of, says nothing of it.
CREATE TABLE pairing (
    command_id  uuid PRIMARY KEY REFERENCES gateway_command,
    patient_id  uuid NOT NULL REFERENCES patient,
    item_id     uuid REFERENCES stock_item,      -- the one that is meant; NULL: whichever it turns out to be
    profile     text NOT NULL,
    name        text NOT NULL,                   -- of the device in the gateway's roster
    begun_at    timestamptz NOT NULL,
    begun_by    uuid NOT NULL REFERENCES account,
    settled_at  timestamptz,                     -- its outcome was written into the stock
    settled     text                             -- how: 'taken', 'known', 'another', 'kept_from'
);
CREATE INDEX pairing_of_patient ON pairing (patient_id, begun_at DESC);
GRANT SELECT, INSERT, UPDATE (settled_at, settled, item_id) ON pairing TO pulsepost_console;

-- Whose homes gateways are. What a gateway says in its status is its word, and a device moves on: at which gateway somebody
-- uses a device is known by what happened since they have it. Its memory was read to the end there last, a reading of it came
-- from there and was stored, or we paired it there for them.
CREATE VIEW known_home WITH (security_barrier) AS
    SELECT g.gateway_id, g.name, a.assignment_id
    FROM gateway_device g JOIN device d USING (device_id) JOIN device_assignment a USING (device_id)
    WHERE d.complete_gateway_id = g.gateway_id AND a.valid @> d.complete_told_at AND a.valid @> d.complete_at
       OR EXISTS (SELECT FROM pairing x JOIN gateway_command c USING (command_id)
                  WHERE c.gateway_id = g.gateway_id AND x.name = g.name AND x.patient_id = a.patient_id
                    AND x.settled = 'taken' AND a.valid @> x.settled_at)
       OR EXISTS (SELECT FROM ledger l WHERE l.device_id = g.device_id AND l.gateway_id = g.gateway_id
                    AND l.fate = 'stored' AND a.valid @> l.received_at AND a.valid @> l.read_at);
GRANT SELECT ON known_home TO pulsepost_console, pulsepost_jobs;

-- Who has a device, and for whom one is paired, is seen by whoever cares for the patient.
SELECT guard_patients('stock_holding');
SELECT guard_patients('pairing', '{pulsepost_jobs}');
-- What a pairing refers to is not ended (cloud/retention).
GRANT SELECT (command_id) ON pairing TO pulsepost_jobs;
