-- How people prove who they are: second factors, invitations, outside identities.

ALTER TABLE account ALTER COLUMN password_hash DROP NOT NULL;    -- NULL: invited, and no password set yet

ALTER TABLE login_session
    ADD COLUMN IF NOT EXISTS session_id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,  -- what it is called on a page
    ADD COLUMN IF NOT EXISTS idle       interval NOT NULL DEFAULT '1 hour',
    ADD COLUMN IF NOT EXISTS confined   boolean NOT NULL DEFAULT false,  -- to setting up the second factor that its role needs
    ADD COLUMN IF NOT EXISTS browser    text NOT NULL DEFAULT '';        -- what it calls itself

ALTER TABLE login_failure ADD COLUMN IF NOT EXISTS address text NOT NULL DEFAULT '';     -- IPv4, or the /64 of IPv6
CREATE INDEX IF NOT EXISTS login_failure_address ON login_failure (address, at);

-- A TOTP secret (RFC 6238). It counts once a code has confirmed it.
CREATE TABLE second_factor (
    account_id    uuid PRIMARY KEY REFERENCES account,
    sealed        bytea NOT NULL,                -- AES-256-GCM under the console's key, bound to the account
    created_at    timestamptz NOT NULL,
    confirmed_at  timestamptz,
    last_step     bigint                         -- of the last code taken: no code is taken twice
);

CREATE TABLE recovery_code (
    account_id  uuid NOT NULL REFERENCES account,
    code_hash   bytea NOT NULL,                  -- SHA-256 of 80 random bits
    used_at     timestamptz,
    PRIMARY KEY (account_id, code_hash)
);

-- Roles that need a second factor from their next sign-in on.
CREATE TABLE second_factor_rule (
    role    text PRIMARY KEY,
    set_by  uuid REFERENCES account,
    set_at  timestamptz NOT NULL
);

-- A password was right, and the code is still to come.
CREATE TABLE waiting_sign_in (
    token_hash  bytea PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account,
    expires_at  timestamptz NOT NULL
);

CREATE TABLE invitation (
    code_hash   bytea PRIMARY KEY,               -- SHA-256 of the link's code; the code itself is stored nowhere
    account_id  uuid NOT NULL REFERENCES account,
    created_by  uuid REFERENCES account,         -- NULL: an operator at the command line
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX ON invitation (account_id);

-- Who somebody is at the clinic's OpenID Connect provider; an administrator says so.
CREATE TABLE outside_identity (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    linked_by   uuid REFERENCES account,
    linked_at   timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, account_id)
);

-- Somebody has been sent to the provider and is expected back.
CREATE TABLE outside_sign_in (
    token_hash     bytea PRIMARY KEY,            -- of the cookie of the browser that was sent
    state          text NOT NULL,
    nonce          text NOT NULL,
    code_verifier  text NOT NULL,
    expires_at     timestamptz NOT NULL
);

GRANT INSERT (login, display_name, role, patient_id, language), UPDATE (password_hash, disabled_at) ON account
    TO pulsepost_console;
GRANT SELECT, INSERT, DELETE, UPDATE (sealed, created_at, confirmed_at, last_step) ON second_factor TO pulsepost_console;
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON recovery_code TO pulsepost_console;
GRANT SELECT, INSERT, DELETE ON second_factor_rule, waiting_sign_in, outside_sign_in, outside_identity
    TO pulsepost_console;
-- Whose rows these are is said in 0016_access.sql.
GRANT SELECT, INSERT, DELETE ON invitation TO pulsepost_console;
