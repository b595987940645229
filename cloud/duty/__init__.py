"""Who is on duty: the roster with its shifts, holidays and people who stand in, and the gaps that cases ran into."""
