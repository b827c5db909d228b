"""Links: a whole request as one signed token, so that nothing is stored and any replica can answer.

A token is readable by anyone who holds it: no secrets in it. The only importer of itsdangerous.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from services.errors import LinkExpired, LinkRefused

#: Keeps these tokens apart from anything else signed with the same secret; what a link is for comes behind it.
SALT = "measures-export.link"

#: How far another replica's clock may run ahead of this one, in milliseconds.
CLOCK_SKEW_MS = 60_000

#: Epoch milliseconds (year 287396) from which on a number is taken for no instant.
LATEST_MS = 2**53


class Links:
    """Signs with the first secret, verifies with all. `clock` tells epoch seconds.

    `purpose`: what a link is for; a token of one purpose is none of another. Empty: one target's measures.
    """

    def __init__(self, secrets: Sequence[str], *, ttl_seconds: int, clock: Callable[[], float]) -> None:
        self._secrets = list(reversed(secrets))  # itsdangerous signs with the last of its list
        self._ttl_ms = ttl_seconds * 1000
        self._clock = clock

    def sign(self, payload: Mapping[str, Any], purpose: str = "") -> tuple[str, int]:
        """Return the token, and when it expires in epoch milliseconds."""
        now = self._now_ms()
        expires = now + self._ttl_ms
        return str(self._serializer(purpose).dumps({**payload, "iat": now, "exp": expires})), expires

    def unsign(self, token: str, purpose: str = "") -> dict[str, Any]:
        """Return the payload as it was signed. Raises `LinkRefused`, `LinkExpired`."""
        try:
            payload = self._serializer(purpose).loads(token)
        except (BadData, RecursionError) as error:
            raise LinkRefused("This link is not valid: its signature does not match.") from error
        if not isinstance(payload, dict):
            raise LinkRefused("This link is not valid: it holds no request.")
        self._check_age(_instant_ms(payload.pop("iat", None)), _instant_ms(payload.pop("exp", None)))
        return payload

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._secrets,
            salt=f"{SALT}.{purpose}" if purpose else SALT,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def _check_age(self, issued_ms: int, expires_ms: int) -> None:
        now = self._now_ms()
        if issued_ms > now + CLOCK_SKEW_MS:
            raise LinkRefused("This link is not valid: it comes from the future.")
        if now >= expires_ms:
            raise LinkExpired("This link has expired. Ask for a new one.", expiresAt=expires_ms)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _instant_ms(value: Any) -> int:
    """Return an instant. Raises `LinkRefused` for what is no number of milliseconds: `Infinity`, `true`, a text."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LATEST_MS:
        raise LinkRefused("This link is not valid: it does not say how long it lasts.")
    return int(value)
