"""The plugins that start the real things; each fixture is documented where it stands."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("pulsepost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pulsepost")

pytest_plugins = [
    "tests.fix_ble",
    "tests.fix_dbus",
    "tests.fix_services",
    "tests.fix_road",
    "tests.fix_cloud",
    "tests.fix_gateway",
    "tests.fix_enrolment",
    "tests.fix_console",
    "tests.fix_browser",
    "tests.fix_centre",
    "tests.fix_receivers",
    "tests.fix_provider",
    "tests.fix_bitrix24",
    "tests.fix_crm",
]
