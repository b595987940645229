"""Making accounts, inviting into them, and shutting them.

Whoever is invited sets the password; nobody else ever knows it. An invitation is a link with 256 random bits, good once
and for days, of which a hash is stored. ``by`` None: an operator at the command line.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cloud.accounts import store
from cloud.accounts.models import Account, Invitation, Invited
from cloud.accounts.store import Connection
from cloud.audit import store as audit
from cloud.auth import codes, factor_store, factors, password_rules, passwords
from cloud.auth import store as auth
from cloud.auth.models import STAFF, Role
from cloud.db.acting import act_for
from cloud.language.languages import known

# Long enough for somebody who is invited on a Friday, and for a letter to a patient; proposals of this project.
STAFF_INVITATION: Final = timedelta(days=3)
PATIENT_INVITATION: Final = timedelta(days=14)
LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")
LONGEST_NAME: Final = 200


class Refused(Exception):
    """It was not done; ``code`` is a key of texts.ACCOUNT_REFUSALS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def add_staff(
    conn: Connection, login: str, display_name: str, role: str, language: str, by: UUID | None, now: datetime
) -> Invitation:
    """A new account of the staff and the link into it. Refused."""
    login, display_name = login.strip().lower(), " ".join(display_name.split())
    if not LOGIN.fullmatch(login):
        raise Refused("login")
    if not display_name or len(display_name) > LONGEST_NAME or not display_name.isprintable():
        raise Refused("name")
    if role not in {each.value for each in STAFF}:
        raise Refused("role")
    account_id = await store.add(conn, login, display_name, Role(role), known(language), None)
    if account_id is None:
        raise Refused("taken")
    await _record(conn, now, by, "account.added", account_id, role=role)
    return await _invite(conn, account_id, login, display_name, by, now, STAFF_INVITATION)


async def invite_again(conn: Connection, account_id: UUID, by: UUID | None, now: datetime) -> Invitation:
    """A new link into an account of the staff, also for whoever forgot the password. Refused.

    The password there was stays until the link is used.
    """
    found = await _staff_account(conn, account_id, now)
    if found.disabled_at is not None:
        raise Refused("disabled")
    return await _invite(conn, account_id, found.login, found.display_name, by, now, STAFF_INVITATION)


async def invite_patient(conn: Connection, patient_id: UUID, by: UUID, now: datetime) -> Invitation | None:
    """A link into the patient's own account, which is made if there is none; None: not a patient in ``by``'s care."""
    found = await store.patient_of_team(conn, patient_id, by)
    if found is None:
        return None
    name, language = found
    account = await store.of_patient(conn, patient_id, now)
    if account is not None and account.disabled_at is not None:
        raise Refused("disabled")
    if account is not None:
        account_id, login = account.account_id, account.login
    else:
        account_id, login = await _add_patient(conn, patient_id, name, language)
        await _record(conn, now, by, "account.added", account_id, patient_id, role=Role.PATIENT)
    return await _invite(conn, account_id, login, name, by, now, PATIENT_INVITATION, patient_id)


async def accept(conn: Connection, code: str, password: str, again: str, now: datetime) -> Invited | str:
    """Set the password that the invited person chose: whose account it is now, or why not.

    A code of texts.OWN_SIGN_IN_REFUSALS, or ``over`` where the link is good no more.
    """
    key = codes.token_hash(code)
    invited = await store.invited(conn, key, now)
    if invited is None:
        return "over"
    refused = "not_the_same" if password != again else None
    refused = refused or password_rules.why_not(password, invited.login, invited.display_name)
    if refused:
        return refused
    password_hash = await passwords.hashed(password)
    if not await store.use(conn, key, now):
        return "over"
    await act_for(conn, invited.account_id)
    await auth.set_password(conn, invited.account_id, password_hash)
    await auth.forget_failures(conn, invited.login)
    await factor_store.stop_waiting(conn, invited.account_id)
    ended = await auth.end_sessions(conn, invited.account_id)
    await _record(conn, now, invited.account_id, "invitation.used", invited.account_id, sessions_ended=ended)
    return invited


async def disable(conn: Connection, account_id: UUID, by: UUID | None, now: datetime) -> None:
    """Nobody signs in with it any more, and all its sessions end with this transaction. Refused."""
    found = await _staff_account(conn, account_id, now)
    if found.account_id == by:
        raise Refused("yourself")
    if found.role is Role.ADMINISTRATOR and await store.administrators(conn) < 2 and found.disabled_at is None:
        raise Refused("last_administrator")
    if await store.set_disabled(conn, account_id, now):
        ended = await auth.end_sessions(conn, account_id)
        await factor_store.stop_waiting(conn, account_id)
        await store.withdraw_invitations(conn, account_id)
        await _record(conn, now, by, "account.disabled", account_id, sessions_ended=ended)


async def enable(conn: Connection, account_id: UUID, by: UUID | None, now: datetime) -> None:
    """It may be used again, with the password that it had. Refused."""
    await _staff_account(conn, account_id, now)
    if await store.set_disabled(conn, account_id, None):
        await _record(conn, now, by, "account.enabled", account_id)


async def reset_second_factor(conn: Connection, account_id: UUID, by: UUID | None, now: datetime) -> None:
    """Take the second factor away, and end all sessions: whoever found the telephone may have opened some. Refused."""
    if by is not None:  # an operator may do it for a patient, too
        await _staff_account(conn, account_id, now)
    if account_id == by:
        raise Refused("yourself")
    if not await factors.reset(conn, account_id, by, now):
        raise Refused("no_second_factor")
    await auth.end_sessions(conn, account_id)


async def require_second_factor(conn: Connection, roles: list[str], by: UUID, now: datetime) -> None:
    """Of these roles a second factor is needed from their next sign-in on, and of no others."""
    chosen = [role for role in Role if role.value in roles]
    await factor_store.require_of(conn, chosen, by, now)
    await audit.record(
        conn,
        at=now,
        account_id=by,
        action="second_factor.required",
        subject="roles:all",
        detail={"roles": [role.value for role in chosen]},
    )


async def link(conn: Connection, account_id: UUID, issuer: str, subject: str, by: UUID, now: datetime) -> None:
    """Who the account's person is at the clinic's provider; an empty subject: nobody any more. Refused."""
    await _staff_account(conn, account_id, now)
    subject = subject.strip()
    if account_id == by:
        raise Refused("yourself")
    if not subject:
        if await store.unlink(conn, account_id):
            await _record(conn, now, by, "identity.unlinked", account_id)
        return
    # OpenID Connect Core, section 2: a subject has at most 255 ASCII characters.
    if len(subject) > 255 or not subject.isascii() or not subject.isprintable():
        raise Refused("subject")
    if not await store.link(conn, issuer, subject, account_id, by, now):
        raise Refused("linked")
    await _record(conn, now, by, "identity.linked", account_id)


async def _staff_account(conn: Connection, account_id: UUID, now: datetime) -> Account:
    """Patients' accounts are looked after by their care team."""
    found = await store.by_id(conn, account_id, now)
    if found is None or found.role is Role.PATIENT:
        raise Refused("unknown")
    return found


async def _add_patient(conn: Connection, patient_id: UUID, name: str, language: str) -> tuple[UUID, str]:
    """The login says nothing of who it is."""
    while True:
        login = f"p-{codes.new_recovery_code().lower()[:9]}"
        account_id = await store.add(conn, login, name, Role.PATIENT, known(language), patient_id)
        if account_id is not None:
            return account_id, login


async def _invite(
    conn: Connection,
    account_id: UUID,
    login: str,
    name: str,
    by: UUID | None,
    now: datetime,
    span: timedelta,
    patient_id: UUID | None = None,
) -> Invitation:
    code = codes.new_token()
    await store.invite(conn, account_id, codes.token_hash(code), by, now, now + span)
    await _record(conn, now, by, "account.invited", account_id, patient_id)
    return Invitation(code=code, login=login, display_name=name, expires_at=now + span)


async def _record(
    conn: Connection,
    now: datetime,
    by: UUID | None,
    action: str,
    account_id: UUID,
    patient_id: UUID | None = None,
    **detail: object,
) -> None:
    await audit.record(
        conn,
        at=now,
        account_id=by,
        action=action,
        subject=f"account:{account_id}",
        patient_id=patient_id,
        detail=detail,
    )
