"""What the home is told: what is due, what was measured, and what the clinic has received."""
