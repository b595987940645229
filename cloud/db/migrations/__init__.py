"""Migrations: plain SQL under ``sql/``, run in order by ``versions/``."""
