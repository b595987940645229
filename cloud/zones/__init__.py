"""Where patients live, in time: their zones and their moves."""
