"""The errors of the services, named by what the person at the terminal should do."""

from __future__ import annotations


class ServicesUnavailable(Exception):
    """Nothing on this machine can give the services; the text is one sentence saying what to install."""


class ServiceFailed(Exception):
    """A program of ours did not start or stop; the text holds the last lines it wrote."""


class WrongSetting(Exception):
    """An address or a file given in the environment cannot be used; the text says which and why."""
