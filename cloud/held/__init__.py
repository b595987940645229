"""Readings that wait for "was it you?": asked of the patient, of the nurse, answered, and seen until then."""
