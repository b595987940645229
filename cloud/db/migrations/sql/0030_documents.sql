-- Documents from templates: the clinic's own wording, what was produced, and scans of what was signed.

-- What stands at the foot of papers and in the privacy notice: the newest row speaks, '' means that nobody has said it.
CREATE TABLE clinic_facts (
    facts_no         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL CHECK (length(name) <= 500),
    address          text NOT NULL CHECK (length(address) <= 500),
    phone            text NOT NULL CHECK (length(phone) <= 500),
    email            text NOT NULL CHECK (length(email) <= 500),
    hours            text NOT NULL CHECK (length(hours) <= 500),
    privacy_contact  text NOT NULL CHECK (length(privacy_contact) <= 500),
    authority        text NOT NULL CHECK (length(authority) <= 500),
    records_kept     text NOT NULL CHECK (length(records_kept) <= 500),
    set_by           uuid NOT NULL REFERENCES account,
    set_at           timestamptz NOT NULL
);

-- The clinic's own wording of a template. The texts never change; the newest version that somebody but its author approved
-- and nobody withdrew is in force, and where there is none, that of the software.
CREATE TABLE document_template (
    template_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind          text NOT NULL,
    version       integer NOT NULL CHECK (version > 0),
    texts         jsonb NOT NULL,                -- {"en": …, "ru": …, "zh": …}
    written_by    uuid NOT NULL REFERENCES account,
    written_at    timestamptz NOT NULL,
    approved_by   uuid REFERENCES account,
    approved_at   timestamptz,
    withdrawn_by  uuid REFERENCES account,
    withdrawn_at  timestamptz,
    UNIQUE (kind, version),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (withdrawn_by IS NULL) = (withdrawn_at IS NULL)),
    CHECK (approved_by <> written_by)
);

-- What was produced, as it was given out: octet by octet, never changed.
CREATE TABLE document (
    document_id       uuid PRIMARY KEY,
    document_no       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,   -- the newest is the newest, whatever clocks say
    patient_id        uuid REFERENCES patient,   -- NULL: of the centre, about nobody
    kind              text NOT NULL,
    template_id       uuid REFERENCES document_template,   -- NULL: the software's own
    template_version  integer NOT NULL,
    language          text NOT NULL CHECK (language IN ('en', 'ru', 'zh')),
    octets            bytea NOT NULL,
    sha256            bytea NOT NULL CHECK (sha256 = sha256(octets)),
    made_by           uuid NOT NULL REFERENCES account,
    made_at           timestamptz NOT NULL,
    UNIQUE (document_id, patient_id)
);
CREATE INDEX ON document (patient_id, document_no DESC);

-- A paper that was signed, as it was scanned. What was attached in error is withdrawn: it is shown to nobody, and stays.
CREATE TABLE document_scan (
    scan_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    document_id    uuid NOT NULL,
    patient_id     uuid NOT NULL REFERENCES patient,
    media_type     text NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    octets         bytea NOT NULL CHECK (length(octets) BETWEEN 1 AND 10485760),
    sha256         bytea NOT NULL CHECK (sha256 = sha256(octets)),
    signed_on      date NOT NULL,
    attached_by    uuid NOT NULL REFERENCES account,
    attached_at    timestamptz NOT NULL,
    withdrawn_by   uuid REFERENCES account,
    withdrawn_at   timestamptz,
    why_withdrawn  text CHECK (length(why_withdrawn) BETWEEN 1 AND 500),
    FOREIGN KEY (document_id, patient_id) REFERENCES document (document_id, patient_id),
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL) AND (withdrawn_by IS NULL) = (why_withdrawn IS NULL))
);
-- The same paper twice is one: somebody pressed twice.
CREATE UNIQUE INDEX document_scan_once ON document_scan (document_id, sha256) WHERE withdrawn_at IS NULL;

GRANT SELECT ON clinic_facts, document_template, document, document_scan TO pulsepost_console;
GRANT INSERT (name, address, phone, email, hours, privacy_contact, authority, records_kept, set_by, set_at) ON clinic_facts
    TO pulsepost_console;
GRANT INSERT (kind, version, texts, written_by, written_at), UPDATE (approved_by, approved_at, withdrawn_by, withdrawn_at)
    ON document_template TO pulsepost_console;
GRANT INSERT ON document TO pulsepost_console;
GRANT INSERT (document_id, patient_id, media_type, octets, sha256, signed_on, attached_by, attached_at),
    UPDATE (withdrawn_by, withdrawn_at, why_withdrawn) ON document_scan TO pulsepost_console;

SELECT guard_patients(t) FROM unnest('{document, document_scan}'::regclass[]) t;
-- Everybody in their own name; patients make copies of what is theirs; what is about nobody is the staff's.
CREATE POLICY "as oneself" ON document AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (made_by = (SELECT a.account_id FROM acting_account a));
CREATE POLICY makes ON document FOR INSERT TO pulsepost_console
    WITH CHECK (patient_id = (SELECT a.patient_id FROM acting_account a));
CREATE POLICY "of the centre" ON document TO pulsepost_console
    USING (patient_id IS NULL AND (SELECT a.role FROM acting_account a) <> 'patient');
CREATE POLICY "as oneself" ON document_scan AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (attached_by = (SELECT a.account_id FROM acting_account a));
