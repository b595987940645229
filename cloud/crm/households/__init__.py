"""Who lives with whom, and whom to turn to."""
