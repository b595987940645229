-- The ledger in the order of its devices.
--
-- A reading_id is a hash: in an index of its own, each reading of a batch falls on another page, which costs a look at
-- the disk, and after each checkpoint a whole page of log (measured at 4 million rows: 5,100 octets of log a reading
-- against 700, and more than twice the time). The device is part of what is hashed, so that the pair is unique where the
-- reading_id alone was; and a device's readings come together.

ALTER TABLE ledger DROP CONSTRAINT ledger_pkey, ADD PRIMARY KEY (device_id, reading_id);
