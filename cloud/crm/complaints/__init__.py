"""Complaints and suggestions: owner, deadline, outcome; and the themes of defects."""
