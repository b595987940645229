"""An OpenID Connect provider on loopback: real HTTP, real signed tokens, PKCE checked, and faults to order."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from cloud.sign_in_config import BACK, OutsideSettings
from deploy.listening import LOOPBACK, Conversation, Listening
from tests.cloud.made import NOW

CLIENT_ID = "pulsepost-console"
SUBJECT = "248289761001"


@dataclass
class Provider:
    """``faults``: claims to put into the next tokens instead of the right ones; ``fault``: what else is wrong."""

    url: str = ""
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    subject: str = SUBJECT
    fault: str = ""
    faults: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)
    _key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256"}))
    _other_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256"}))
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def settings(self) -> OutsideSettings:
        """For a console whose own address nobody needs: tests take the answer's path and query."""
        return OutsideSettings(
            issuer=self.url,
            client_id=CLIENT_ID,
            client_secret=self.client_secret,
            redirect_url=f"https://console.example{BACK}",
            name="Clinic",
        )

    def describe(self) -> dict[str, Any]:
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        facts: dict[str, Any] = {name: f"{self.url}/{path}" for name, path in endpoints.items()}
        facts |= {"issuer": self.url, "authorization_response_iss_parameter_supported": True}
        if self.fault == "describes_another":
            facts["issuer"] = "https://evil.example"
        if self.fault == "unsafe_endpoint":
            facts["token_endpoint"] = "http://evil.example/token"
        return facts

    def keys(self) -> dict[str, Any]:
        return dict(KeySet([self._key]).as_dict(private=False))

    def authorize(self, asked: dict[str, str]) -> str:
        """Somebody signs in and agrees: where the browser goes."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.url}
        if self.fault == "refuses":
            answer = {"error": "access_denied", "state": asked["state"], "iss": self.url}
        if self.fault == "answers_as_another":
            answer["iss"] = "https://evil.example"
        if self.fault == "does_not_say_who":
            del answer["iss"]
        if self.fault == "other_state":
            answer["state"] = secrets.token_urlsafe(32)
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Tokens for a code; None where the client or its verifier is not right."""
        expected = base64.b64encode(f"{CLIENT_ID}:{self.client_secret}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or authorization != f"Basic {expected}":
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return None
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": int(self.now.timestamp()),
            "exp": int((self.now + timedelta(minutes=5)).timestamp()),
            "nonce": asked["nonce"],
            **self.faults,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": self._signed(claims)}

    def _signed(self, claims: dict[str, Any]) -> str:
        match self.fault:
            case "signed_by_another":
                return jwt.encode({"alg": "ES256", "kid": "one"}, claims, self._other_key)
            case "signed_with_the_secret":
                key = OctKey.import_key(self.client_secret)
                return jwt.encode({"alg": "HS256", "kid": "one"}, claims, key, algorithms=["HS256"])
            case "not_signed":
                parts = ({"alg": "none", "typ": "JWT"}, claims)
                return (
                    ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
                    + "."
                )
            case "changed":
                head, body, signature = jwt.encode({"alg": "ES256", "kid": "one"}, claims, self._key).split(".")
                other = json.dumps({**claims, "sub": "somebody else"}).encode()
                del body
                return f"{head}.{base64.urlsafe_b64encode(other).rstrip(b'=').decode()}.{signature}"
            case _:
                return jwt.encode({"alg": "ES256", "kid": "one"}, claims, self._key)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that serves until the test's end."""
    made = Provider()

    class Desk(Conversation):
        def asked(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            made.asked.append(parts.path)
            match self.command, parts.path:
                case "GET", "/.well-known/openid-configuration":
                    self._tell(made.describe())
                case "GET", "/keys":
                    self._tell(made.keys())
                case "GET", "/authorize":
                    self.say(302, b"", ("Location", made.authorize(dict(parse_qsl(parts.query)))))
                case "POST", _:
                    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                    tokens = made.exchange(form, self.headers.get("Authorization", ""))
                    self._tell(tokens) if tokens is not None else self.send_error(400)
                case _:
                    self.send_error(404)

        def _tell(self, content: dict[str, Any]) -> None:
            self.say(200, json.dumps(content).encode())

    with Listening(Desk) as listening:
        made.url = f"http://{LOOPBACK}:{listening.port}"
        yield made
