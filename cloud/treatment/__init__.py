"""What a patient takes, and what doctors changed about it and why. Notes of people: nothing is checked or advised."""
