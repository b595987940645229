-- What is kept only for so long (cloud/retention): the jobs' role ends it, and needs to see what still refers to it.

GRANT DELETE ON device_session, technical_alarm TO pulsepost_jobs;
GRANT SELECT (device_id, session_id) ON ledger TO pulsepost_jobs;
GRANT SELECT (session_id) ON quarantine TO pulsepost_jobs;

-- What is still so is never ended, whatever the statement says.
CREATE FUNCTION keep_what_is_so() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'a technical alarm that is not resolved is not deleted';
END
$$;
CREATE TRIGGER keep_what_is_so BEFORE DELETE ON technical_alarm FOR EACH ROW
    WHEN (OLD.resolved_at IS NULL AND current_user = 'pulsepost_jobs') EXECUTE FUNCTION keep_what_is_so();
