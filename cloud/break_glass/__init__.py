"""Break-glass: a clinical person outside the care team opens one patient, with a reason, for an hour."""
