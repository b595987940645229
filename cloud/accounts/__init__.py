"""Accounts: made by an administrator, entered by invitation, disabled, and what every role must bring."""
