"""What a route asks for: a signed-in person, of a certain role, whose request is their own."""

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, status

from cloud.auth import cookies, service
from cloud.auth.models import CLINICAL, NURSING, SUPPORTING, TECHNICAL, Role, Session
from cloud.console.edge import UNSAFE, Now, Tx, form_field, language_of_browser
from cloud.db.acting import act_for

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"


class SignInNeeded(Exception):
    """Nobody is signed in; the app answers with the sign-in page, or 401 where no page was asked for."""


class SecondFactorNeeded(Exception):
    """The person's role needs a second factor, and there is none yet; the app leads to where it is set up."""


async def at_the_door(request: Request, conn: Tx, now: Now) -> Session:
    """The session of this request, confined or not; an unsafe request must also carry the session's CSRF token."""
    token = cookies.read(request, cookies.SESSION)
    session = await service.session_of(conn, token, now) if token else None
    if session is None:
        raise SignInNeeded
    if request.method in UNSAFE:
        await require_csrf_token(request, session.csrf_token)
    if session.language is None:
        session = replace(session, language=language_of_browser(request))
    request.state.session = session
    return session


async def signed_in(conn: Tx, session: Annotated[Session, Depends(at_the_door)]) -> Session:
    """The session of this request, of somebody who need not set up a second factor first.

    From here on the database shows the transaction what this person may see.
    """
    if session.confined:
        raise SecondFactorNeeded
    await act_for(conn, session.account_id)
    return session


async def require_csrf_token(request: Request, expected: str) -> None:
    """403 unless the header or the form field holds this token; an empty one opens nothing."""
    given = request.headers.get(CSRF_HEADER) or await form_field(request, CSRF_FIELD)
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(status.HTTP_403_FORBIDDEN)


def only(roles: frozenset[Role]) -> Callable[[Session], Coroutine[Any, Any, Session]]:
    """A dependency: for any other role the page does not exist."""

    async def of_these_roles(session: Annotated[Session, Depends(signed_in)]) -> Session:
        if session.role not in roles:
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        return session

    return of_these_roles


AtTheDoor = Annotated[Session, Depends(at_the_door)]
Anyone = Annotated[Session, Depends(signed_in)]
Clinical = Annotated[Session, Depends(only(CLINICAL))]
Nursing = Annotated[Session, Depends(only(NURSING))]
Supporting = Annotated[Session, Depends(only(SUPPORTING))]
Technical = Annotated[Session, Depends(only(TECHNICAL))]
Administrator = Annotated[Session, Depends(only(frozenset({Role.ADMINISTRATOR})))]
Patient = Annotated[Session, Depends(only(frozenset({Role.PATIENT})))]
