"""Gateways, devices, who used them when, and their sessions."""
