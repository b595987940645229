"""Advice: texts that a clinician approved, given by a rule over the readings, with a log of what was given and read."""
