"""One patient's readings, limits and cases; the doctor's list of patients."""
