"""What outside CRMs are told, and what they tell us: written down where it happens, delivered until it is there."""
