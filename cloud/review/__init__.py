"""The doctor's page: is there enough to act on, the figures, before and after a change, and the report."""
