"""What complaints, comments of surveys and findings of audits are about: a small catalogue, the same for all three."""

from typing import Final

# Codes; their words are texts.THEMES. One that is used is never taken out: what was tagged keeps it.
THEMES: Final = (
    "waiting_time",
    "not_reached",
    "attitude",
    "wrong_information",
    "not_understood",
    "device",
    "software",
    "treatment",
    "privacy",
    "documentation",
    "cost",
    "other",
)
