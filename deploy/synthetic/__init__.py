"""A synthetic year: replayed in memory, or loaded into a database."""
