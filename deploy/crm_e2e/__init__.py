"""An independent CRM, end to end: BottleCRM in an environment of its own, told by our connector, and read back."""
