"""The reader's language: what we speak, which of it a reader gets, and our messages in it. English is their text."""
