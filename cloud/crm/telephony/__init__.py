"""Click to call, and recordings by reference and hash."""
