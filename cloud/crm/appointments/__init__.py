"""Appointments: who sees patients when and where, what is booked, and who waits for a freed slot."""
