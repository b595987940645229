"""Who takes part, from when on anybody watches, how it ends, and who of the care team knows that it has ended."""
