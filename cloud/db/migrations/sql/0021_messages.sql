-- Messages between a patient and the care team, and in which units somebody reads figures.

-- NULL: nothing chosen, so what is usual in their language; 'device': as each device says it.
ALTER TABLE account
    ADD COLUMN glucose_unit   text CHECK (glucose_unit IN ('mg/dL', 'mmol/L', 'device')),
    ADD COLUMN pressure_unit  text CHECK (pressure_unit IN ('mm[Hg]', 'kPa', 'device'));
GRANT UPDATE (glucose_unit, pressure_unit) ON account TO pulsepost_console;

-- Whom patients call when something is wrong with a device, or they have a question: the centre's own number, E.164.
ALTER TABLE duty_site ADD COLUMN phone text NOT NULL DEFAULT '';
GRANT UPDATE (phone) ON duty_site TO pulsepost_console;

-- One thread for each patient. Nothing is changed or taken back once it is sent.
CREATE TABLE patient_message (
    message_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    place         bigint GENERATED ALWAYS AS IDENTITY,  -- of two in one moment, which came first
    patient_id    uuid NOT NULL REFERENCES patient,
    from_patient  boolean NOT NULL,
    written_by    uuid NOT NULL REFERENCES account,
    written_at    timestamptz NOT NULL,
    body          text NOT NULL CHECK (length(btrim(body)) BETWEEN 1 AND 2000),
    read_at       timestamptz,                   -- when somebody of the other side first had it on a screen
    read_by       uuid REFERENCES account,
    settled_at    timestamptz,                   -- of a patient's: when it was answered, or said to need no answer
    settled_by    uuid REFERENCES account,
    CHECK ((read_at IS NULL) = (read_by IS NULL)),
    CHECK ((settled_at IS NULL) = (settled_by IS NULL)),
    CHECK (settled_at IS NULL OR from_patient)
);
CREATE INDEX ON patient_message (patient_id, written_at DESC);
CREATE INDEX patient_message_waiting ON patient_message (patient_id) WHERE from_patient AND settled_at IS NULL;
CREATE INDEX patient_message_unread ON patient_message (patient_id) WHERE NOT from_patient AND read_at IS NULL;
GRANT SELECT, INSERT, UPDATE (read_at, read_by, settled_at, settled_by) ON patient_message TO pulsepost_console;

-- Open pages hear that there is something, and never what: a new message, or one that was opened or settled.
CREATE FUNCTION tell_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('live', json_build_object('type', 'message', 'patient_id', NEW.patient_id,
                                                'is_new', TG_OP = 'INSERT', 'from_patient', NEW.from_patient)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_message AFTER INSERT OR UPDATE ON patient_message
    FOR EACH ROW EXECUTE FUNCTION tell_of_message();

-- Read and written by whoever cares for the patient. The patient writes in their own name, and says that they have read.
SELECT guard_patients('patient_message');
-- Everybody writes as who they are: nobody of the staff writes as the patient.
CREATE POLICY "as oneself" ON patient_message AS RESTRICTIVE FOR INSERT TO pulsepost_console
    WITH CHECK (written_by = (SELECT a.account_id FROM acting_account a)
                AND from_patient = ((SELECT a.role FROM acting_account a) = 'patient'));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY written ON patient_message FOR INSERT TO pulsepost_console'
                   ' WITH CHECK (from_patient AND written_by = (SELECT a.account_id FROM acting_account a) AND %s)',
                   oneself_sql('patient_message'));
    EXECUTE format('CREATE POLICY read ON patient_message FOR UPDATE TO pulsepost_console USING (NOT from_patient AND %s)',
                   oneself_sql('patient_message'));
END
$$;
