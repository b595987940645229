"""Surveys after a contact, a discharge, an enrolment; and of the staff."""
