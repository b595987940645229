"""The escalation over a real database."""
