"""People: accounts, signing in and out, sessions, roles, and the one predicate that says whose patients they see."""
