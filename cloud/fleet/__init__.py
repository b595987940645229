"""Judging the fleet: from the stored state to technical alarms, and to the case of a measurement that nobody made."""
