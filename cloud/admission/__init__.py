"""Taking somebody in: the steps on the way, each with who and when, until somebody watches; and the end."""
