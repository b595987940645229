"""The fleet as people see it: a list of thousands with the worst first, and all of one gateway."""
