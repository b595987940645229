"""Signing in with the clinic's own OpenID Connect provider, for accounts that an administrator has linked."""
