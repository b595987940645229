"""What takes more than one reading: sessions, repetition, "measure again", and each patient's day."""
