"""Invitations to a visit: a doctor asks, somebody arranges a time, and what became of it is written down."""
