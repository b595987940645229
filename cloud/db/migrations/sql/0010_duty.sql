-- Who is on duty: shifts, on-call, holidays; and what happens where nobody is.

-- The roster ---------------------------------------------------------------------------------------------------------------

-- One site: its wall clock is that of the shifts, its working days those of deadlines that count them (Monday is 0).
CREATE TABLE duty_site (
    only_one      boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    time_zone     text NOT NULL DEFAULT 'UTC',   -- IANA name
    working_days  smallint[] NOT NULL DEFAULT '{0,1,2,3,4}' CHECK (cardinality(working_days) > 0),
    changed_at    timestamptz,
    changed_by    uuid REFERENCES account        -- NULL: nobody has said where we are yet
);
INSERT INTO duty_site DEFAULT VALUES;

-- Shifts of every week, and those of one day only: a holiday's own roster, or one more than usual. An end that is not later
-- than the start is on the next day. Nothing is deleted: who was on duty can be told afterwards.
CREATE TABLE duty_shift (
    shift_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role         text NOT NULL CHECK (role IN ('nurse', 'doctor', 'lead_nurse')),
    account_id   uuid NOT NULL REFERENCES account,
    weekday      smallint CHECK (weekday BETWEEN 0 AND 6),
    starts       time NOT NULL,
    ends         time NOT NULL,
    first_day    date NOT NULL,
    last_day     date,
    call_order   smallint NOT NULL DEFAULT 1 CHECK (call_order BETWEEN 1 AND 9),
    set_by       uuid REFERENCES account,
    set_at       timestamptz NOT NULL,
    withdrawn_at timestamptz,                    -- it never counted
    CHECK (last_day >= first_day),
    CHECK (weekday IS NOT NULL OR last_day = first_day)
);
CREATE INDEX duty_shift_in_force ON duty_shift (last_day) WHERE withdrawn_at IS NULL;

CREATE TABLE duty_holiday (
    day         date PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    own_roster  boolean NOT NULL,                -- no weekly shift begins on it
    set_by      uuid REFERENCES account,
    set_at      timestamptz NOT NULL
);

-- A person is away, and somebody stands in. Two of them are a swap.
CREATE TABLE duty_absence (
    absence_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id    uuid NOT NULL REFERENCES account,
    starts        timestamptz NOT NULL,
    ends          timestamptz NOT NULL CHECK (ends > starts),
    cover         uuid REFERENCES account CHECK (cover <> account_id),
    set_by        uuid REFERENCES account,
    set_at        timestamptz NOT NULL,
    withdrawn_at  timestamptz
);
CREATE INDEX duty_absence_ends ON duty_absence (ends) WHERE withdrawn_at IS NULL;

-- The escalation -------------------------------------------------------------------------------------------------------------

-- Whom the path chose, when, and as what. Whether it arrived is the notification's.
CREATE TABLE case_page (
    case_id     uuid NOT NULL REFERENCES alert_case,
    round       integer NOT NULL,
    step        smallint NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    role        text NOT NULL CHECK (role IN ('nurse', 'doctor', 'lead_nurse')),
    at          timestamptz NOT NULL,
    PRIMARY KEY (case_id, round, step, account_id)
);

-- Nobody could be told of a role: a case for the lead nurses, opened once however many cases run into it.
CREATE TABLE duty_gap (
    gap_id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role             text NOT NULL CHECK (role IN ('nurse', 'doctor', 'lead_nurse')),
    why              text NOT NULL CHECK (why IN ('nobody_on_duty', 'nobody_in_care_team')),
    opened_at        timestamptz NOT NULL,
    acknowledged_at  timestamptz,
    acknowledged_by  uuid REFERENCES account,
    resolved_at      timestamptz,                -- somebody is on duty again
    paged            smallint NOT NULL DEFAULT 0,    -- how often the lead nurses were told
    next_at          timestamptz,                -- when they are told again
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK (next_at IS NULL OR (acknowledged_at IS NULL AND resolved_at IS NULL))
);
CREATE UNIQUE INDEX duty_gap_open ON duty_gap (role, why) WHERE resolved_at IS NULL;

CREATE TABLE duty_gap_case (
    gap_id   uuid NOT NULL REFERENCES duty_gap,
    case_id  uuid NOT NULL REFERENCES alert_case,
    at       timestamptz NOT NULL,
    PRIMARY KEY (gap_id, case_id)
);

-- Grants -----------------------------------------------------------------------------------------------------------------

GRANT SELECT ON duty_site, duty_shift, duty_holiday, duty_absence, case_page, duty_gap, duty_gap_case
    TO pulsepost_console, pulsepost_jobs;
GRANT UPDATE (time_zone, working_days, changed_at, changed_by) ON duty_site TO pulsepost_console;
GRANT INSERT ON duty_shift, duty_holiday, duty_absence TO pulsepost_console;
GRANT UPDATE (last_day, withdrawn_at) ON duty_shift TO pulsepost_console;
GRANT DELETE ON duty_holiday TO pulsepost_console;
GRANT UPDATE (withdrawn_at) ON duty_absence TO pulsepost_console;
GRANT UPDATE (acknowledged_at, acknowledged_by, next_at) ON duty_gap TO pulsepost_console;
GRANT INSERT ON case_page, duty_gap_case TO pulsepost_jobs;
GRANT INSERT, UPDATE (resolved_at, paged, next_at) ON duty_gap TO pulsepost_jobs;
GRANT SELECT ON care_team TO pulsepost_jobs;
