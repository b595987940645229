"""Reminders: to measure, of what was missed before a nurse is asked, to take medication; each stops where it must."""
