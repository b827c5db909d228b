"""Verify Kuzzle's own tokens: `kauth-` and a JWT of user, `iat` and `exp`, signed by HS256 with Kuzzle's secret.

Kuzzle 2.56, lib/core/security/tokenRepository.ts. Its API keys (`kapikey-`) are the same, with
`exp` or without.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from services.errors import TokenInvalid

PREFIX = "kauth-"
KEY_PREFIX = "kapikey-"

#: Bytes of a key below which PyJWT warns. HMAC fills a key up with zeros itself: padding changes no signature.
FULL_KEY = 32

#: Epoch seconds (year 5138) from which on a time is no time of a token.
LATEST = 10**11

#: The times that a token may name (RFC 7519); what they hold must be one, though only the first two decide.
TIMES = ("exp", "nbf", "iat")


@dataclass(frozen=True)
class Claims:
    """What a token says, `None` where it does not. Times are epoch milliseconds."""

    kuid: str | None
    expires_ms: int | None
    not_before_ms: int | None


class Verifier:
    """Verifies with Kuzzle's secret; `clock` tells epoch seconds."""

    def __init__(self, secret: str, clock: Callable[[], float]) -> None:
        self._key = secret.encode().ljust(FULL_KEY, b"\0")
        self._clock = clock
        self._jws = PyJWS(algorithms=["HS256"])

    def verify(self, token: str) -> Claims:
        """Return the claims.

        Raises `TokenInvalid`: forged, expired, not yet valid, another algorithm, an API key, no
        user, no end.

        API keys are refused, since nothing here could tell that one was revoked.
        """
        if not token.startswith(PREFIX):
            raise TokenInvalid("Invalid token.")
        payload = object_of(self._payload(token.removeprefix(PREFIX)))
        if payload is None or any(name in payload and ms(payload[name]) is None for name in TIMES):
            raise TokenInvalid("Invalid token.")
        claims = claims_of(payload)
        now = self._clock() * 1000
        if claims.kuid is None or claims.expires_ms is None or claims.expires_ms <= now:
            raise TokenInvalid("Invalid token.")
        if claims.not_before_ms is not None and claims.not_before_ms > now:
            raise TokenInvalid("Invalid token.")
        return claims

    def _payload(self, jwt: str) -> bytes:
        try:
            payload: bytes = self._jws.decode(jwt, self._key, algorithms=["HS256"])
        except (PyJWTError, ValueError, RecursionError) as error:
            raise TokenInvalid("Invalid token.") from error
        return payload


def unverified_claims(token: str) -> Claims:
    """Return what a token says of itself, unverified: only for one that Kuzzle has vouched for."""
    payload = token.removeprefix(PREFIX).removeprefix(KEY_PREFIX).split(".")[1:2]
    try:
        return claims_of(object_of(base64.urlsafe_b64decode(payload[0] + "=" * (-len(payload[0]) % 4))) or {})
    except (IndexError, ValueError):
        return claims_of({})


def object_of(payload: bytes) -> dict[str, Any] | None:
    """Return the payload parsed, `None` where it is no JSON object."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def claims_of(claims: Mapping[str, Any]) -> Claims:
    """Return the claims of a payload; those of a wrong type become `None`."""
    kuid = claims.get("_id")
    named = isinstance(kuid, str) and kuid and kuid.isprintable()
    return Claims(kuid if named else None, ms(claims.get("exp")), ms(claims.get("nbf")))


def ms(seconds: Any) -> int | None:
    """Return milliseconds; `None` where `seconds` is no number, negative or not below `LATEST`."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < LATEST:
        return None
    return int(seconds * 1000)
