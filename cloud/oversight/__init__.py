"""Who did what and who looked at what: for the auditor all of it, for a patient what concerns them."""
