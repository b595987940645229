-- Who is told at once, and training.

-- Whose business a patient is: the care team, whoever has broken the glass, the patient. The console's live stream asks
-- before anybody's rights are set: fifty open pages would ask one by one, and most of them in vain. It says no more of
-- patients than the ids of who may see them, and what is then shown is read with the viewer's own rights.
CREATE INDEX account_of_patient ON account (patient_id) WHERE patient_id IS NOT NULL;
CREATE FUNCTION audience(patients uuid[]) RETURNS TABLE (patient_id uuid, account_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.patient_id, t.account_id FROM care_team t
    WHERE t.patient_id = ANY(patients) AND t.since <= now() AND (t.until IS NULL OR t.until > now())
    UNION
    SELECT g.patient_id, g.account_id FROM break_glass g
    WHERE g.patient_id = ANY(patients) AND g.since <= now() AND g.until > now()
    UNION
    SELECT a.patient_id, a.account_id FROM account a WHERE a.patient_id = ANY(patients)
$$;
REVOKE ALL ON FUNCTION audience(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audience(uuid[]) TO pulsepost_console;
