"""Messages between a patient and the care team: one thread for each patient, never for emergencies."""
