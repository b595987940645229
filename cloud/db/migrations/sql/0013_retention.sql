-- What is kept only for so long (cloud/retention): the jobs' role ends it, and needs to see what still refers to it.

GRANT DELETE ON device_session, technical_alarm TO pulsepost_jobs;
GRANT SELECT (device_id, session_id) ON ledger TO pulsepost_jobs;
GRANT SELECT (session_id) ON quarantine TO pulsepost_jobs;
