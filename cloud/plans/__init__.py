"""What holds for one patient: their own alarm limits."""
