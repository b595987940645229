"""What a home is told: which measurements are due, so that its gateway can show it, also while the internet is away."""
