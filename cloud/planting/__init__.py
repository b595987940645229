"""Training patients: made by an operator, out of the synthetic year, for trainees."""
