"""The way to the database: connections and migrations."""
