"""Decide who may export, by the ways of `AUTH` together; the package's docstring has the table."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from services.access.keys import KeyFile
from services.access.kuzzle import Kuzzle, Question
from services.access.rights import Right
from services.access.tokens import Claims, Verifier, unverified_claims
from services.errors import AccessUnavailable, Forbidden, ServiceError, TokenInvalid, Unauthorized

#: The user that everybody without a token is.
NOBODY = "-1"

#: Characters. Kuzzle's tokens have about 200; more is parsed by nobody.
LONGEST_TOKEN = 4096

#: What is asked of Kuzzle to learn whether a token is good: the answer itself does not matter.
WHETHER_GOOD = Question("auth", "getCurrentUser")


@dataclass(frozen=True)
class Caller:
    """Who asks, until when (epoch milliseconds, `None`: for ever), and whether a way of `AUTH` lets them."""

    id: str
    expires_ms: int | None
    allowed: bool


class Access:
    """Decides by `methods`, the ways of `AUTH`, who may export. `clock` returns epoch seconds."""

    def __init__(
        self,
        methods: tuple[str, ...],
        *,
        kuzzle_jwt_secret: str | None = None,
        kuzzle_url: str | None = None,
        api_keys_file: str | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._anonymous = "anonymous" in methods
        self._verifier = (
            Verifier(needed("KUZZLE_JWT_SECRET", kuzzle_jwt_secret), clock) if "kuzzle-jwt" in methods else None
        )
        self._kuzzle = Kuzzle(needed("KUZZLE_URL", kuzzle_url), clock) if "kuzzle" in methods else None
        self._keys = KeyFile(needed("API_KEYS_FILE", api_keys_file)) if "api-keys" in methods else None

    def admit(self, token: str | None, right: Right) -> str:
        """Return the user who asks.

        Raises `TokenInvalid`, `Unauthorized`, `Forbidden`, `AccessUnavailable`.
        """
        caller = self._caller(token, right) if token else self._nobody(right)
        if caller.allowed or self._anonymous:
            return caller.id
        raise refused(caller, right)

    def check_token(self, token: str | None) -> dict[str, Any]:
        """Return the result of `auth:checkToken`. Never raises for a bad token."""
        try:
            caller = self._known(token)
        except ServiceError as error:
            return {"valid": False, "state": error.message}
        return {"valid": True, "kuid": caller.id, "expiresAt": caller.expires_ms}

    def user(self, token: str | None) -> dict[str, Any]:
        """Return the result of `auth:getCurrentUser`.

        Raises `TokenInvalid`, `AccessUnavailable`.
        """
        caller = self._known(token)
        profiles = ["anonymous"] if caller.id == NOBODY else []
        return {"_id": caller.id, "_source": {"profileIds": profiles}, "strategies": []}

    def expires_at(self, token: str | None) -> int | None:
        """Return when a token ends in epoch milliseconds; `None`: never, or it is not good.

        Asks no Kuzzle.
        """
        if not token:
            return None
        try:
            key = self._key(valid_token(token), None)
            return self._claims(token).expires_ms if key is None else key.expires_ms
        except (TokenInvalid, AccessUnavailable):
            return None

    def _known(self, token: str | None) -> Caller:
        return self._caller(token, None) if token else Caller(NOBODY, None, self._anonymous)

    def _nobody(self, right: Right) -> Caller:
        asked = self._kuzzle if self._verifier is None and not self._anonymous else None
        return Caller(NOBODY, None, asked is not None and asked.allows(None, question(right)))

    def _caller(self, token: str, right: Right | None) -> Caller:
        """Return who brings the token; `allowed` means nothing without a right."""
        key = self._key(valid_token(token), right)
        if key is not None:
            return key
        claims = self._claims(token)
        caller = user(token, claims)
        if self._kuzzle is None:
            return caller
        allowed = self._kuzzle.allows(token, question(right), until_ms=claims.expires_ms)
        return replace(caller, allowed=allowed and (self._verifier is None or caller.allowed))

    def _key(self, token: str, right: Right | None) -> Caller | None:
        """Return the caller of an API key, `None` when the token is none.

        Raises `TokenInvalid` when it has expired.
        """
        key = self._keys.find(token) if self._keys else None
        if key is None:
            return None
        if key.expires_ms is not None and key.expires_ms <= self._clock() * 1000:
            raise TokenInvalid("Invalid token: this key has expired.")
        return Caller(f"key:{key.name}", key.expires_ms, right is not None and key.opens(right))

    def _claims(self, token: str) -> Claims:
        """Return the claims, verified where the secret is known; else they count once Kuzzle takes
        the token.
        """
        if self._verifier is not None:
            return self._verifier.verify(token)
        if self._kuzzle is None:
            raise TokenInvalid("Invalid token: nothing that AUTH names can vouch for it.")
        return unverified_claims(token)


def user(token: str, claims: Claims) -> Caller:
    """Return the caller of a good token; that of Kuzzle's anonymous user allows no more than none."""
    who = claims.kuid or f"token:{hashlib.sha256(token.encode()).hexdigest()[:8]}"
    return Caller(who, claims.expires_ms, who != NOBODY)


def question(right: Right | None) -> Question:
    if right is None:
        return WHETHER_GOOD
    return Question(f"device-manager/{right.kind}", right.action, right.engine, right.id)


def valid_token(token: str) -> str:
    """Return the token.

    Raises `TokenInvalid` for one that is too long or cannot stand in a header.
    """
    if len(token) > LONGEST_TOKEN or not all("!" <= character <= "~" for character in token):
        raise TokenInvalid("Invalid token.")
    return token


def refused(caller: Caller, right: Right) -> ServiceError:
    what = f'export {right.kind} of "{right.engine}"'
    if caller.id == NOBODY:
        return Unauthorized(f"Unauthorized: a token that may {what} is needed.")
    return Forbidden(f'Forbidden: "{caller.id}" may not {what}.', engineId=right.engine)


def needed(name: str, value: str | None) -> str:
    """Return the value.

    Raises `ValueError` when empty: an empty secret verifies what anybody signs.
    """
    if not value:
        raise ValueError(f"{name} is required by AUTH.")
    return value
