"""The programmes: their limits, promises and budgets, and who changes them."""
