"""Durable jobs in PostgreSQL: what happens at its time, whichever process is there, and survives them all."""
