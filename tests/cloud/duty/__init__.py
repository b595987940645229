"""Who is on duty: the roster in the database and at the console."""
