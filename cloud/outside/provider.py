"""The OpenID Connect provider: where people are sent, and what its answer is worth.

Authorization code with PKCE (RFC 7636, S256), state, nonce; the token's signature, issuer, audience and times; the
issuer of the answer itself (RFC 9207). Nothing of what the provider says but issuer and subject is used.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cloud.outside.models import NotProven, Sent
from cloud.sign_in_config import OutsideSettings, is_safe

TIMEOUT_S: Final = 5.0
LARGEST_ANSWER: Final = 1_000_000
# Signatures with a key that the provider alone has; never "none", never one with a shared secret.
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_S: Final = 60  # between the provider's clock and ours


async def address(settings: OutsideSettings, sent: Sent) -> str:
    """Where to send the browser. NotProven where the provider cannot be reached or is not who it says."""
    async with _client() as client:
        facts = await _facts(client, settings)
    where: str = prepare_grant_uri(
        facts["authorization_endpoint"],
        client_id=settings.client_id,
        response_type="code",
        redirect_uri=settings.redirect_url,
        scope="openid",
        state=sent.state,
        nonce=sent.nonce,
        code_challenge=create_s256_code_challenge(sent.code_verifier),
        code_challenge_method="S256",
    )
    return where


async def subject(settings: OutsideSettings, sent: Sent, answer: Mapping[str, str], now: datetime) -> str:
    """Who it is at the provider, from what the browser came back with. NotProven."""
    async with _client() as client:
        facts = await _facts(client, settings)
        _check_issuer_of(answer, facts, settings.issuer)
        if not answer.get("code"):
            raise NotProven("refused_there")
        tokens = await _exchange(client, facts["token_endpoint"], settings, sent, answer["code"])
        keys = await _document(client.build_request("GET", facts["jwks_uri"]), client)
    return _verified(settings, sent, tokens, keys, now)


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)


async def _facts(client: httpx.AsyncClient, settings: OutsideSettings) -> Mapping[str, Any]:
    """The provider's own description of itself (OpenID Connect Discovery)."""
    where = f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
    facts = await _document(client.build_request("GET", where), client)
    if facts.get("issuer") != settings.issuer:
        raise NotProven("other_issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(facts.get(name), str) or not is_safe(facts[name]):
            raise NotProven("unsafe_endpoint")
    return facts


def _check_issuer_of(answer: Mapping[str, str], facts: Mapping[str, Any], issuer: str) -> None:
    """Another provider's answer, slipped in, is not exchanged here (RFC 9207, section 2.4)."""
    said = answer.get("iss")
    promised = facts.get("authorization_response_iss_parameter_supported") is True
    if said != issuer and (said is not None or promised):
        raise NotProven("other_issuer")


async def _exchange(
    client: httpx.AsyncClient, endpoint: str, settings: OutsideSettings, sent: Sent, code: str
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.redirect_url,
        "code_verifier": sent.code_verifier,
    }
    ourselves = httpx.BasicAuth(settings.client_id, settings.client_secret)
    return await _document(client.build_request("POST", endpoint, data=form), client, ourselves)


async def _document(
    request: httpx.Request, client: httpx.AsyncClient, auth: httpx.Auth | None = None
) -> Mapping[str, Any]:
    """A JSON object. NotProven."""
    try:
        answer = await client.send(request, auth=auth, stream=True)
        try:
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise NotProven("unreadable")
        finally:
            await answer.aclose()
    except httpx.HTTPError:
        raise NotProven("unreachable") from None
    if answer.status_code != httpx.codes.OK:
        raise NotProven("refused_there")
    try:
        found = httpx.Response(200, content=body).json()
    except ValueError:
        raise NotProven("unreadable") from None
    if not isinstance(found, dict):
        raise NotProven("unreadable")
    return found


def _verified(
    settings: OutsideSettings, sent: Sent, tokens: Mapping[str, Any], keys: Mapping[str, Any], now: datetime
) -> str:
    try:
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(dict(keys)), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": settings.issuer},
                "aud": {"essential": True, "value": settings.client_id},
            },
            params={
                "nonce": sent.nonce,
                "client_id": settings.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
    except JoseError as error:
        raise NotProven(_why(error)) from None
    except (KeyError, TypeError, ValueError):
        raise NotProven("unreadable") from None
    found = claims["sub"]
    if not isinstance(found, str) or not found:
        raise NotProven("no_subject")
    return found


def _why(error: JoseError) -> str:
    claim = getattr(error, "claim", None)
    return f"{error.error}:{claim}" if isinstance(claim, str) else str(error.error)
