"""Trying limits on stored readings before anybody saves them, and what a programme asks of people by its budget."""
