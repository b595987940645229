"""Training: what a trainee did for each training patient, beside what was true of them."""
