"""Quality audits: a sample of closed cases that anybody can draw again, what was found, and what is done about it."""
