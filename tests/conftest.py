"""The plugins that start the real things; each fixture is documented where it stands."""

from __future__ import annotations

pytest_plugins = ["tests.fix_services", "tests.fix_cloud", "tests.fix_gateway"]
