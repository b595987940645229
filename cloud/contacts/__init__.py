"""The emergency card of a patient and their contact persons: whom to call, and where to send help."""
