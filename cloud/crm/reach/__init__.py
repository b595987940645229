"""Reaching a patient: the ways they agreed to, when, in which language; and what was told outside, once a reason."""
