"""How often what happens: of nobody published, and of this project alone."""

# Assumptions, per patient and year where nothing else is said.
DIABETES_SHARE = 0.3
CRISES_A_YEAR = 0.6
WORSENINGS_A_YEAR = 2.4
WORSENING_DAYS = 28
WORSENING_MMHG = 16.0
SILENCES_A_YEAR = 1.0
OUTAGES_A_YEAR = 1.0
LATE_SHARE = 0.01  # of the measurements, beside outages
MEASURES_AGAIN = 0.8  # of those in a crisis
ARTEFACTS = 0.004  # of the readings
TRANSIENTS = 0.002  # of the measurements
FIBRILLATION = 0.03  # of the patients
KPA_CUFFS = 0.1
MMOL_METERS = 0.4
