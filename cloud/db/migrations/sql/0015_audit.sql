-- The audit as a chain that shows whether a row was touched.
--
-- Each row of audit gets one row of audit_link: its place in the order of commits, without gaps, and the SHA-256 over
-- the place before it and over what the row says. The link is written while its transaction commits, by the database,
-- so that nobody can forget it, nothing is ever without it, and a place that a rolled-back transaction would have had
-- is the next one's. cloud/audit/chain.py computes the same from outside.

CREATE TABLE audit_link (
    position   bigint PRIMARY KEY CHECK (position > 0),
    audit_id   bigint NOT NULL UNIQUE,
    linked_at  timestamptz NOT NULL,             -- the database's clock; audit.at is the writing process's
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- Who looks for what: one patient, one person, one kind of deed, a time.
CREATE INDEX ON audit (patient_id, at, audit_id) WHERE patient_id IS NOT NULL;
CREATE INDEX ON audit (account_id, at, audit_id);
CREATE INDEX ON audit (action, at, audit_id);
CREATE INDEX ON audit (at, audit_id);

-- One field of what is hashed, so that no two different rows give the same octets: its length, its octets; - for NULL.
CREATE FUNCTION audit_field(value text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT convert_to(coalesce(octet_length(value)::text || ':' || value, '-') || ';', 'UTF8')
$$;

-- Microseconds since 1970, as text.
CREATE FUNCTION audit_instant(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT trunc(extract(epoch FROM moment) * 1000000)::text
$$;

-- Links a row to the newest link. One transaction at a time does this, and it does nothing after it but commit: whoever
-- waits here waits for others' commits, never for a process.
CREATE FUNCTION audit_append(entry audit) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    place bigint;
    before bytea;
    moment timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the audit is written in read committed transactions, not in %',
            current_setting('transaction_isolation')
            USING HINT = 'An older snapshot does not see the end of the chain. Begin the transaction without a level.';
    END IF;
    PERFORM pg_advisory_xact_lock(6150515);
    -- A statement of its own: its snapshot is taken after the wait, and sees who was before us.
    SELECT position + 1, hash INTO place, before FROM audit_link ORDER BY position DESC LIMIT 1;
    place := coalesce(place, 1);
    moment := clock_timestamp();
    INSERT INTO audit_link (position, audit_id, linked_at, hash)
    VALUES (place, entry.audit_id, moment, sha256(
        coalesce(before, decode(repeat('00', 32), 'hex'))
        || audit_field(place::text) || audit_field(audit_instant(moment)) || audit_field(entry.audit_id::text)
        || audit_field(audit_instant(entry.at)) || audit_field(entry.account_id::text) || audit_field(entry.action)
        || audit_field(entry.subject) || audit_field(entry.patient_id::text) || audit_field(entry.detail::text)));
END $$;

CREATE FUNCTION audit_linked() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM audit_append(NEW);
    RETURN NULL;
END $$;

-- Not even the owner changes what happened; whoever takes these triggers away is found by the chain.
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'What was wrong is set right by another row.';
END $$;

REVOKE ALL ON FUNCTION audit_append(audit), audit_linked(), audit_stays() FROM PUBLIC;

-- What was written before there was a chain begins it.
DO $$
DECLARE
    entry audit;
BEGIN
    FOR entry IN SELECT * FROM audit ORDER BY audit_id LOOP
        PERFORM audit_append(entry);
    END LOOP;
END $$;

CREATE CONSTRAINT TRIGGER audit_is_linked AFTER INSERT ON audit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_linked();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_link_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
-- Also where a session says that it replicates.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_linked;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_stays;
ALTER TABLE audit_link ENABLE ALWAYS TRIGGER audit_link_stays;

-- The console shows the audit to who may read it, and writes; the jobs say where the chain ends, and read no deed.
GRANT SELECT ON audit TO pulsepost_console;
GRANT SELECT ON audit_link TO pulsepost_jobs;
