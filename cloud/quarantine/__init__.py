"""What could not be understood or trusted, for people to see: whole, with its reason."""
