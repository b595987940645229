"""Whom we told what, how, and whether it arrived: addresses of the staff, channels, and the log."""
