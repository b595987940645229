"""Devices as things: whose they are, who has them, until when they are leased, and whether they may be handed out."""
