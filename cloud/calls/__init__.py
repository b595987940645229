"""Calls to patients and contact persons: who called whom, when, and what came of it."""
