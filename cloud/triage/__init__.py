"""Triage scripts: questions to ask about a case, as data, and the way that somebody went through one."""
