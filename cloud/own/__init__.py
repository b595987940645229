"""What a patient sees of themselves: what is due today, what they measured and when it was received, the plan."""
