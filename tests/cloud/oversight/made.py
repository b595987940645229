"""Somebody who watches over the audit."""

from cloud.auth import store as accounts
from cloud.auth.models import Role
from tests.fix_console import Console


def with_auditor(console: Console, password_hash: str) -> None:
    """Vera, whose login is ``vera``."""
    console.accounts["vera"] = accounts.create_account(
        console.ward.admin,
        login="vera",
        display_name="Vera Watch",
        role=Role.AUDITOR,
        password_hash=password_hash,
        patient_id=None,
    )
