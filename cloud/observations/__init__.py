"""A reading attributed to a patient is an observation: what may be one, and where it is kept."""
