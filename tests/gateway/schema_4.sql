-- The outbox of schema 4, as the release before sealing made it: kept for the test of its upgrade.
CREATE TABLE session (
    session_id  TEXT PRIMARY KEY,
    wire        BLOB NOT NULL          -- WireSession, JSON
) WITHOUT ROWID;
CREATE TABLE reading (                 -- not yet receipted
    seq         INTEGER PRIMARY KEY,   -- order of arrival
    reading_id  TEXT NOT NULL UNIQUE,
    session_id  TEXT NOT NULL REFERENCES session,
    lane        TEXT NOT NULL CHECK (lane IN ('live', 'backfill')),
    put_at      TEXT NOT NULL,
    wire        BLOB NOT NULL,         -- WireReading, JSON
    message_id  TEXT                   -- published under; NULL: never published
);
CREATE INDEX waiting ON reading (lane, seq) WHERE message_id IS NULL;
CREATE INDEX waiting_in_session ON reading (session_id, lane, seq) WHERE message_id IS NULL;
CREATE INDEX in_flight ON reading (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX of_session ON reading (session_id);
CREATE TABLE receipted (               -- so that a meter's memory, read again, is not sent again
    reading_id  TEXT PRIMARY KEY,
    fate        TEXT NOT NULL,
    freed_at    TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE device_cursor (
    device_id   TEXT NOT NULL,
    driver      TEXT NOT NULL,
    cursor      BLOB NOT NULL,         -- JSON, opaque to all but the driver
    moved_at    TEXT NOT NULL,
    PRIMARY KEY (device_id, driver)
) WITHOUT ROWID;
CREATE TABLE drained (                 -- the last visit to a device that went to its end
    device_id   TEXT,
    driver      TEXT,
    visit       BLOB NOT NULL,         -- WirePrevious, JSON
    PRIMARY KEY (device_id, driver)
) WITHOUT ROWID;
CREATE TABLE visited (                 -- what stood behind a name of the roster when it was last visited
    name        TEXT PRIMARY KEY,
    device_id   TEXT,
    firmware    TEXT,
    at          TEXT,
    outcome     TEXT,
    reason      TEXT,
    received    INTEGER,
    new         INTEGER,
    holds       INTEGER,
    identity    TEXT                   -- what answered, in its own words; stays on this computer
) WITHOUT ROWID;
CREATE TABLE repair (                  -- how far the repairs of the way to a Bluetooth device have gone
    name        TEXT PRIMARY KEY,
    ladder      BLOB NOT NULL          -- bond_ladder.Ladder, JSON
) WITHOUT ROWID;
