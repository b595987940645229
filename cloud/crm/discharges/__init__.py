"""Discharge documents in FHIR R4: kept as they came, read strictly, previewed, and made into follow-ups by a person."""
