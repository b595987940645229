"""What the people of the monitoring centre do around cases: calls, scripts, unknown callers, the end of a shift."""
