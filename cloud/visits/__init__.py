"""Invitations to a visit: a doctor asks, and what became of it is written down. A time is booked as an appointment."""
