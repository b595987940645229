"""The two services Pulsepost stands on, TimescaleDB and Mosquitto, found or started on this machine.

`python -m deploy.services --help` shows the commands; `deploy.services.start.services_in_use` is what the demo and the
tests use.
"""
