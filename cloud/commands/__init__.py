"""What gateways are told to do: rows that the ingest publishes, and that statuses answer."""
