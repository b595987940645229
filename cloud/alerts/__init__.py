"""From alerts to cases: one open case per patient and condition, opened in the transaction that stores the reading."""
