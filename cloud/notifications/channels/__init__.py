"""The ways out of the house, each one file behind one small port; no patient data leaves by any of them."""
