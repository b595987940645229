"""What a patient agrees to: texts with version and language, what was decided, and taking it back."""
