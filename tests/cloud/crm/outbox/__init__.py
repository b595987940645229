"""What outside CRMs are told, and what they tell us."""
