"""Whose is it?: quarantined readings that lack a patient or a time, answered by people who may know."""
