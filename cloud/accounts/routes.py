"""Accounts, for administrators; invitations, for whoever holds one; a patient's own account, for the care team.

GET  /accounts                                    everybody of the staff
POST /accounts                                    a new one; shows the link into it, once
POST /accounts/required                           of which roles a second factor is needed
POST /accounts/{account_id}/invite                another link
POST /accounts/{account_id}/disable, .../enable
POST /accounts/{account_id}/second-factor/reset
POST /accounts/{account_id}/identity              who that is at the clinic's provider
GET, POST /patients/{patient_id}/invitation       a link for the patient, to hand over
GET, POST /invitation/{code}                      the invited person sets a password
"""

from collections.abc import Awaitable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.accounts import service, store
from cloud.accounts.models import Invitation, Invited
from cloud.auth import codes, cookies, factor_store, qr
from cloud.auth import service as auth
from cloud.auth.access import Administrator, only, require_csrf_token
from cloud.auth.models import NURSING, STAFF, CodeNeeded, Role, Session
from cloud.auth.password_rules import SHORTEST
from cloud.auth.routes import ask_for_code, browser_of, in_turn, open_session
from cloud.break_glass.routes import notices
from cloud.console.edge import Connection, Now, Tx, form_field, form_fields
from cloud.console.pages import page
from cloud.notify_config import NotifySettings
from cloud.sign_in_config import SignInSettings

router = APIRouter()

HERE: Final = "/accounts"
Inviting = Annotated[Session, Depends(only(NURSING | {Role.COORDINATOR}))]
Turn = Annotated[None, Depends(in_turn, scope="function")]


@router.get(HERE)
async def accounts(request: Request, conn: Tx, now: Now, _session: Administrator) -> Response:
    return await _page(request, conn, now)


@router.post(HERE)
async def add(request: Request, conn: Tx, now: Now, session: Administrator) -> Response:
    typed = {name: await form_field(request, name) for name in ("login", "display_name", "role", "language")}
    try:
        invitation = await service.add_staff(conn, **typed, by=session.account_id, now=now)
    except service.Refused as refused:
        return await _page(request, conn, now, refusal=refused.code, typed=typed)
    return _link_page(request, invitation)


@router.post(f"{HERE}/required")
async def require(request: Request, conn: Tx, now: Now, session: Administrator) -> Response:
    settings: SignInSettings = request.app.state.sign_in
    chosen = await form_fields(request, "role")
    if chosen and settings.key is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await service.require_second_factor(conn, chosen, session.account_id, now)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


@router.post(f"{HERE}/{{account_id}}/invite")
async def invite(request: Request, account_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    try:
        invitation = await service.invite_again(conn, account_id, session.account_id, now)
    except service.Refused as refused:
        return await _page(request, conn, now, refusal=refused.code)
    return _link_page(request, invitation)


@router.post(f"{HERE}/{{account_id}}/disable")
async def disable(request: Request, account_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    return await _done(request, conn, now, service.disable(conn, account_id, session.account_id, now))


@router.post(f"{HERE}/{{account_id}}/enable")
async def enable(request: Request, account_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    return await _done(request, conn, now, service.enable(conn, account_id, session.account_id, now))


@router.post(f"{HERE}/{{account_id}}/second-factor/reset")
async def reset(request: Request, account_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    return await _done(request, conn, now, service.reset_second_factor(conn, account_id, session.account_id, now))


@router.post(f"{HERE}/{{account_id}}/identity")
async def identity(request: Request, account_id: UUID, conn: Tx, now: Now, session: Administrator) -> Response:
    settings: SignInSettings = request.app.state.sign_in
    if settings.outside is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    subject = await form_field(request, "subject")
    deed = service.link(conn, account_id, settings.outside.issuer, subject, session.account_id, now)
    return await _done(request, conn, now, deed)


@router.get("/patients/{patient_id}/invitation", dependencies=[Depends(notices)])
async def patient_account(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Inviting) -> Response:
    found = await store.patient_of_team(conn, patient_id, session.account_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    account = await store.of_patient(conn, patient_id, now)
    return page(
        request,
        "patient_invitation.html",
        patient_id=patient_id,
        patient_name=found[0],
        account=account,
        standing=account.standing(now) if account else None,
        now=now,
    )


@router.post("/patients/{patient_id}/invitation", dependencies=[Depends(notices)])
async def invite_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Inviting) -> Response:
    try:
        invitation = await service.invite_patient(conn, patient_id, session.account_id, now)
    except service.Refused:
        invitation = None
    if invitation is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _link_page(request, invitation, patient_id)


@router.get("/invitation/{code}")
async def invitation_page(request: Request, code: str, conn: Tx, now: Now) -> Response:
    invited = await store.invited(conn, codes.token_hash(code), now)
    return _invitation_page(request, invited, code, None if invited else "over")


@router.post("/invitation/{code}")
async def accept(request: Request, code: str, _turn: Turn, conn: Tx, now: Now) -> Response:
    await require_csrf_token(request, cookies.read(request, cookies.SIGN_IN) or "")
    password, again = await form_field(request, "new_password"), await form_field(request, "again")
    accepted = await service.accept(conn, code, password, again, now)
    if isinstance(accepted, str):
        invited = await store.invited(conn, codes.token_hash(code), now)
        return _invitation_page(request, invited, code, accepted)
    entered = await auth.let_in(conn, accepted.account_id, accepted.login, accepted.role, now, browser_of(request))
    if isinstance(entered, CodeNeeded):
        return ask_for_code(request, entered, None)
    return await open_session(request, conn, entered, None)


async def _done(request: Request, conn: Connection, now: Now, deed: Awaitable[None]) -> Response:
    try:
        await deed
    except service.Refused as refused:
        return await _page(request, conn, now, refusal=refused.code)
    return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)


async def _page(
    request: Request, conn: Connection, now: Now, refusal: str | None = None, typed: dict[str, str] | None = None
) -> Response:
    settings: SignInSettings = request.app.state.sign_in
    return page(
        request,
        "accounts.html",
        status_code=status.HTTP_422_UNPROCESSABLE_CONTENT if refusal else status.HTTP_200_OK,
        accounts=await store.staff(conn, now),
        roles=[role for role in Role if role in STAFF],
        all_roles=list(Role),
        required=await factor_store.required_roles(conn),
        offered=settings.key is not None,
        outside=settings.outside,
        refusal=refusal,
        typed=typed or {},
        now=now,
    )


def _link_page(request: Request, invitation: Invitation, patient_id: UUID | None = None) -> Response:
    notify: NotifySettings = request.app.state.notify
    address = (notify.base_url or str(request.base_url).rstrip("/")) + invitation.path
    return page(
        request,
        "invitation_link.html",
        invitation=invitation,
        address=address,
        qr=qr.svg(address),
        patient_id=patient_id,
    )


def _invitation_page(request: Request, invited: Invited | None, code: str, refusal: str | None) -> Response:
    token = cookies.sign_in_token(request)
    context: dict[str, Any] = {"invited": invited, "code": code, "refusal": refusal, "shortest": SHORTEST}
    statuses = {None: status.HTTP_200_OK, "over": status.HTTP_410_GONE}
    response = page(
        request,
        "invitation.html",
        status_code=statuses.get(refusal, status.HTTP_422_UNPROCESSABLE_CONTENT),
        csrf_token=token,
        **context,
    )
    cookies.write(request, response, cookies.SIGN_IN, token)
    return response
