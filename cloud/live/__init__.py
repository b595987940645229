"""What happens now, on people's screens: PostgreSQL notifications fanned out as server-sent events."""
