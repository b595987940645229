"""The escalation: what the deadlines of a case ask for, carried out in one transaction; and gaps in the roster."""
